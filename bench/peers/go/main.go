// A reverse proxy that makes the same checks as claimgate with the standard library alone. For the bench.
package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"flag"
	"log"
	"math/big"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"strings"
	"time"
)

const (
	assertionField = "X-Pomerium-Jwt-Assertion"
	clockSkew      = 60
)

var encoding = base64.RawURLEncoding.Strict()

type claims struct {
	Iss    string   `json:"iss"`
	Aud    string   `json:"aud"`
	Exp    *float64 `json:"exp"`
	Iat    *float64 `json:"iat"`
	Sub    string   `json:"sub"`
	User   string   `json:"user"`
	Email  string   `json:"email"`
	Name   string   `json:"name"`
	Groups []string `json:"groups"`
}

type keySet map[string]*ecdsa.PublicKey

func readKeySet(path string) (keySet, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var set struct {
		Keys []struct{ Kid, X, Y string }
	}
	if err := json.Unmarshal(text, &set); err != nil {
		return nil, err
	}
	keys := keySet{}
	for _, each := range set.Keys {
		x, err := encoding.DecodeString(each.X)
		if err != nil {
			return nil, err
		}
		y, err := encoding.DecodeString(each.Y)
		if err != nil {
			return nil, err
		}
		keys[each.Kid] = &ecdsa.PublicKey{
			Curve: elliptic.P256(), X: new(big.Int).SetBytes(x), Y: new(big.Int).SetBytes(y),
		}
	}
	return keys, nil
}

// verify returns the claims, or nil.
func (keys keySet) verify(assertion, expected string) *claims {
	parts := strings.Split(assertion, ".")
	if len(parts) != 3 {
		return nil
	}
	var header struct{ Alg, Kid string }
	if !decode(parts[0], &header) || header.Alg != "ES256" {
		return nil
	}
	key := keys[header.Kid]
	signature, err := encoding.DecodeString(parts[2])
	if key == nil || err != nil || len(signature) != 64 {
		return nil
	}
	digest := sha256.Sum256([]byte(assertion[:len(parts[0])+1+len(parts[1])]))
	r, s := new(big.Int).SetBytes(signature[:32]), new(big.Int).SetBytes(signature[32:])
	if !ecdsa.Verify(key, digest[:], r, s) {
		return nil
	}
	found := &claims{}
	if !decode(parts[1], found) || found.Iss != expected || found.Aud != expected {
		return nil
	}
	now := float64(time.Now().Unix())
	if found.Exp == nil || *found.Exp <= now-clockSkew {
		return nil
	}
	if found.Iat == nil || *found.Iat > now+clockSkew || found.Sub == "" {
		return nil
	}
	return found
}

func decode(part string, into any) bool {
	text, err := encoding.DecodeString(part)
	return err == nil && json.Unmarshal(text, into) == nil
}

func setIdentity(fields http.Header, found *claims) {
	for name := range fields {
		if strings.HasPrefix(name, "X-Pomerium-") {
			delete(fields, name)
		}
	}
	fields.Set("X-Pomerium-Claim-Sub", found.Sub)
	fields.Set("X-Pomerium-Claim-User", found.User)
	fields.Set("X-Pomerium-Claim-Email", found.Email)
	fields.Set("X-Pomerium-Claim-Name", found.Name)
	fields.Set("X-Pomerium-Claim-Groups", strings.Join(found.Groups, ","))
}

func main() {
	listen := flag.String("listen", "127.0.0.1:0", "address")
	upstream := flag.String("upstream", "", "origin of the app")
	jwks := flag.String("jwks", "", "file with the key set")
	expected := flag.String("expected", "", "issuer and audience")
	flag.Parse()

	keys, err := readKeySet(*jwks)
	if err != nil {
		log.Fatal(err)
	}
	target, err := url.Parse(*upstream)
	if err != nil {
		log.Fatal(err)
	}
	proxy := httputil.NewSingleHostReverseProxy(target)
	proxy.Transport = &http.Transport{
		MaxIdleConns: 12000, MaxIdleConnsPerHost: 12000, DisableCompression: true,
	}
	handler := func(response http.ResponseWriter, request *http.Request) {
		values := request.Header[assertionField]
		if len(values) != 1 {
			response.WriteHeader(http.StatusUnauthorized)
			return
		}
		found := keys.verify(values[0], *expected)
		if found == nil {
			response.WriteHeader(http.StatusUnauthorized)
			return
		}
		setIdentity(request.Header, found)
		proxy.ServeHTTP(response, request)
	}
	log.Fatal(http.ListenAndServe(*listen, http.HandlerFunc(handler)))
}
