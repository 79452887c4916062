# syntax=docker/dockerfile:1
ARG NODE_MAJOR=26

# The machine's own platform: nothing that is installed or compiled depends on it, so one run serves all of them.
FROM --platform=$BUILDPLATFORM docker.io/library/node:${NODE_MAJOR}-bookworm-slim AS build
WORKDIR /app
# The image brings Node itself: the package "node" is only for machines whose own Node is too old.
COPY package.json package-lock.json ./
RUN npm ci --no-audit --no-fund --ignore-scripts
COPY tsconfig.json ./
COPY src ./src
COPY scripts/bundle.ts ./scripts/
# One bundle starts with two thirds of the work that some 900 files need.
RUN node node_modules/typescript/bin/tsc --sourceMap false \
  && node scripts/bundle.ts bundle \
  && npm sbom --omit=dev --package-lock-only --sbom-format=cyclonedx >sbom.cdx.json

FROM gcr.io/distroless/nodejs${NODE_MAJOR}-debian13:nonroot
# docker build --build-arg REVISION=$(git rev-parse HEAD) --build-arg VERSION=$(node -p 'require("./package.json").version') .
ARG VERSION=0.0.0-unnamed
ARG REVISION=unknown
LABEL org.opencontainers.image.title="claimgate" \
      org.opencontainers.image.description="Verifies Pomerium's assertion on every request and hands an unmodified app the verified identity in plain headers" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
ENV NODE_ENV=production
WORKDIR /app
COPY --from=build /app/package.json ./
COPY --from=build /app/bundle ./dist
# What is in it, for scanners: CycloneDX.
COPY --from=build /app/sbom.cdx.json ./
COPY LICENSE ./
# A number, so that Kubernetes can see that it is not root.
USER 65532:65532
# data, admin
EXPOSE 8000 8001
STOPSIGNAL SIGTERM
# A check is a Node of its own for a moment: not more often than it has to be.
HEALTHCHECK --interval=30s --timeout=5s --start-period=10s --retries=3 \
  CMD ["/nodejs/bin/node", "dist/commands/healthcheck.js"]
# Half of the container's memory is for the heap: sockets and their buffers live outside of it. Less than 8 MiB for what
# is young costs processor time. What V8's middle compiler takes is never given back, and what only starts a process is not
# worth compiling at all (docs/performance.md). SIGUSR1 would open the debugger. `npm start` has the same options.
ENTRYPOINT ["/nodejs/bin/node", "--disable-sigusr1", "--max-old-space-size-percentage=50", "--max-semi-space-size=8", "--no-maglev", "--invocation-count-for-turbofan=10000", "--v8-pool-size=1", "/app/dist/cli.js"]
