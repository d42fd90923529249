FROM node:20.19.5-bookworm-slim

RUN apt-get update \
  && apt-get install --yes --no-install-recommends bubblewrap ca-certificates erofs-utils procps python-is-python3 python3 python3-venv \
  && rm -rf /var/lib/apt/lists/*

WORKDIR /app
COPY package.json package-lock.json ./
COPY bin bin
RUN npm ci --omit=dev --no-audit --no-fund && npm cache clean --force

COPY tsconfig.json LICENSE README.md ./
COPY src src
COPY activities activities
COPY workflows workflows
COPY workers workers
COPY tasks tasks
COPY task-templates task-templates
COPY evaluator-kit evaluator-kit
RUN npm run prepare

ENV NODE_ENV=production ASSAY_HOME=/var/lib/assay ASSAY_CACHE=/var/cache/assay
# the mount points of leases and locks belong to the user before volumes are laid over them
RUN mkdir -p /var/lib/assay/leases /var/cache/assay/locks && chown -R node:node /var/lib/assay /var/cache/assay

USER node
ENTRYPOINT ["node", "/app/bin/assay.js"]
CMD ["--help"]
