# One image for every role: docker-compose.yml says which a container has.
FROM node:24-bookworm-slim AS packages
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# As scripts/setup.mjs does, without what only development needs.
RUN npm install --omit=dev --no-save --no-audit --no-fund --loglevel=error

FROM node:24-bookworm-slim
# libgomp for ONNX Runtime; certificates for fetching models.
RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates libgomp1 && rm -rf /var/lib/apt/lists/*
WORKDIR /app
COPY --from=packages /app/node_modules node_modules
COPY . .
ENV NODE_ENV=production ASSAY_HOST=0.0.0.0 ASSAY_DATA=/data ASSAY_MODEL_CACHE=/data/models
RUN mkdir /data && chown node:node /data
VOLUME /data
USER node
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 \
  CMD ["node", "-e", "fetch('http://127.0.0.1:'+(process.env.ASSAY_PORT??8080)+'/healthz').then((r)=>process.exit(r.ok?0:1),()=>process.exit(1))"]
# Node is process 1 and gets the signals itself; it ends its work in good order on SIGTERM.
STOPSIGNAL SIGTERM
ENTRYPOINT ["node", "main.ts"]
