-- Verifies Pomerium's assertion inside nginx: libcrypto through FFI for the signature, all else by hand.
-- The bench puts the names between @ in place before nginx loads it.
local cjson = require "cjson.safe"
local ffi = require "ffi"

ffi.cdef [[
  typedef struct bio_st BIO;
  typedef struct evp_pkey_st EVP_PKEY;
  typedef struct evp_md_st EVP_MD;
  typedef struct evp_md_ctx_st EVP_MD_CTX;
  BIO *BIO_new_mem_buf(const void *bytes, int length);
  int BIO_free(BIO *bio);
  EVP_PKEY *PEM_read_bio_PUBKEY(BIO *bio, EVP_PKEY **key, void *callback, void *argument);
  EVP_MD *EVP_MD_fetch(void *library, const char *name, const char *properties);
  EVP_MD_CTX *EVP_MD_CTX_new(void);
  int EVP_MD_CTX_reset(EVP_MD_CTX *context);
  int EVP_DigestVerifyInit(EVP_MD_CTX *context, void *key_context, const EVP_MD *digest, void *engine, EVP_PKEY *key);
  int EVP_DigestVerify(EVP_MD_CTX *context, const unsigned char *signature, size_t signature_length,
    const unsigned char *text, size_t length);
]]
local crypto = ffi.load "libcrypto.so.3"

local function read_key(path)
  local file = assert(io.open(path))
  local pem = file:read "*a"
  file:close()
  local bio = crypto.BIO_new_mem_buf(pem, #pem)
  local key = crypto.PEM_read_bio_PUBKEY(bio, nil, nil, nil)
  crypto.BIO_free(bio)
  assert(key ~= nil, "no public key")
  return key
end

local KEY = read_key "@KEY_FILE@"
local DIGEST = crypto.EVP_MD_fetch(nil, "SHA256", nil)
local CONTEXT = crypto.EVP_MD_CTX_new()
local SKEW = 60

local function decode(part)
  local text = part:gsub("[-_]", { ["-"] = "+", ["_"] = "/" })
  return ngx.decode_base64(text .. ("="):rep(-#text % 4)) or ""
end

-- r or s of the signature as an ASN.1 INTEGER.
local function integer(bytes)
  local digits = bytes:gsub("^%z+", "")
  if digits == "" or digits:byte() > 127 then
    digits = "\0" .. digits
  end
  return "\2" .. string.char(#digits) .. digits
end

local function is_signed(text, signature)
  if #signature ~= 64 then
    return false
  end
  local both = integer(signature:sub(1, 32)) .. integer(signature:sub(33))
  local der = "\48" .. string.char(#both) .. both
  crypto.EVP_MD_CTX_reset(CONTEXT)
  return crypto.EVP_DigestVerifyInit(CONTEXT, nil, DIGEST, nil, KEY) == 1
    and crypto.EVP_DigestVerify(CONTEXT, der, #der, text, #text) == 1
end

-- The claims, or nil.
local function verify(assertion)
  local header, payload, signature = assertion:match "^([%w_-]+)%.([%w_-]+)%.([%w_-]+)$"
  if header == nil then
    return nil
  end
  local members = cjson.decode(decode(header))
  if type(members) ~= "table" or members.alg ~= "ES256" or members.kid ~= "@KID@" then
    return nil
  end
  if not is_signed(header .. "." .. payload, decode(signature)) then
    return nil
  end
  local claims = cjson.decode(decode(payload))
  if type(claims) ~= "table" or claims.iss ~= "@EXPECTED@" or claims.aud ~= "@EXPECTED@" then
    return nil
  end
  local now = ngx.time()
  if type(claims.exp) ~= "number" or claims.exp <= now - SKEW then
    return nil
  end
  if type(claims.iat) ~= "number" or claims.iat > now + SKEW then
    return nil
  end
  return claims
end

local CLAIMS = { "sub", "user", "email", "name" }

local function access()
  local fields = ngx.req.get_headers(200)
  local assertion = fields["x-pomerium-jwt-assertion"]
  -- Sent twice it is a table.
  local claims = type(assertion) == "string" and verify(assertion)
  if not claims then
    return ngx.exit(401)
  end
  for name in pairs(fields) do
    if name:sub(1, 11) == "x-pomerium-" then
      ngx.req.clear_header(name)
    end
  end
  for _, name in ipairs(CLAIMS) do
    if type(claims[name]) == "string" then
      ngx.req.set_header("X-Pomerium-Claim-" .. name, claims[name])
    end
  end
  if type(claims.groups) == "table" then
    ngx.req.set_header("X-Pomerium-Claim-Groups", table.concat(claims.groups, ","))
  end
end

return { access = access }
