# syntax=docker/dockerfile:1
ARG NODE_MAJOR=26

FROM docker.io/library/node:${NODE_MAJOR}-bookworm-slim AS build
WORKDIR /app
# The image brings Node itself: the package "node" is only for machines whose own Node is too old.
COPY package.json package-lock.json ./
RUN npm ci --no-audit --no-fund --ignore-scripts
COPY tsconfig.json ./
COPY src ./src
RUN node node_modules/typescript/bin/tsc --sourceMap false \
  && npm prune --omit=dev --ignore-scripts --no-audit --no-fund

FROM gcr.io/distroless/nodejs${NODE_MAJOR}-debian13:nonroot
LABEL org.opencontainers.image.title="claimgate" \
      org.opencontainers.image.description="Verifies Pomerium's assertion on every request and hands an unmodified app the verified identity in plain headers" \
      org.opencontainers.image.licenses="Apache-2.0"
ENV NODE_ENV=production
WORKDIR /app
COPY --from=build /app/package.json ./
COPY --from=build /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
COPY LICENSE ./
# A number, so that Kubernetes can see that it is not root.
USER 65532:65532
# data, admin
EXPOSE 8000 8001
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=10s --retries=3 \
  CMD ["/nodejs/bin/node", "dist/commands/healthcheck.js"]
# Half of the container's memory is for the heap: sockets and their buffers live outside of it. SIGUSR1 would open
# the debugger.
ENTRYPOINT ["/nodejs/bin/node", "--disable-sigusr1", "--max-old-space-size-percentage=50", "--max-semi-space-size=2", "/app/dist/cli.js"]
