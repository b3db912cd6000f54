/** What an operator can choose of a node, by options and by the environment that main.ts hands in. */
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { DEFAULT_LIMITS } from './api/context.ts'
import { ModelMode } from './core/documents/recipe.ts'
import { Problem } from './core/problem.ts'
import type { NetworkOptions } from './store/network.ts'
import { defaultModelCache } from './verifier/embedding/modelCache.ts'
import { type Device, parseDevice } from './verifier/embedding/onnxRuntime.ts'

export const ROLES = ['api', 'indexer', 'verifier'] as const
export type Role = (typeof ROLES)[number]

export interface Settings {
  roles: ReadonlySet<Role>
  /** Blocks, keys and, without DATABASE_URL, the database. */
  dataDir: string
  /** Bring the schema up to date and end. */
  migrateOnly: boolean
  host: string
  port: number
  /** Where callers reach the api; null: where it listens. */
  publicUrl: string | null
  databaseUrl: string | null
  /** Name of the log; null: the one in the database, or one made from the log's key. */
  logOrigin: string | null
  /** A policy file (https://c2sp.org/tlog-policy): witnesses with their addresses, and how many must cosign before a checkpoint is published. */
  witnessPolicy: string | undefined
  /** Sign checkpoints by ML-DSA-44 too. */
  logMlDsa: boolean
  registration: 'open' | 'closed'
  /** The file of benchmark sets that data sets are compared with. */
  benchmarks: string
  /** The file of human reference texts that data sets are compared with. */
  references: string
  /** A process that gives no sign of life for this long is taken for dead: its job goes to another, its transaction is undone. */
  leaseMs: number
  maxFileBytes: number
  /** Address of the installation's api, for a worker with a disk of its own; null where the disk is shared. */
  gateway: string | null
  device: Device
  /** Devices that may serve one data set together; none: a data set's embeddings are all by one device. */
  mixedDevices: readonly Device[]
  /** Samples that are embedded as one job. */
  shardSamples: number
  /** A model that this machine knows, by name or CID; null: verify without the detectors that need embeddings. */
  model: string | null
  /** The same for images of data sets without texts. */
  imageModel: string | null
  /** Precision that the model runs at; the first that it has by default. */
  modelMode: ModelMode | undefined
  modelDir: string | undefined
  modelCache: string
  modelHub: string | undefined
  /** Multiaddrs to listen on and peers to dial; undefined: no IPFS network. */
  network: NetworkOptions | undefined
}

export const HELP = `usage: npm start -- [options]
  --roles LIST   some of ${ROLES.join(',')} (default: all)
  --data DIR     blocks, keys and, without DATABASE_URL, the database (ASSAY_DATA; default ./data)
  --port N       0 for any that is free (ASSAY_PORT; default 8080)
  --migrate      bring the database of DATABASE_URL up to date, and end
environment: DATABASE_URL, ASSAY_HOST (127.0.0.1), ASSAY_PUBLIC_URL, ASSAY_LOG_ORIGIN, ASSAY_REGISTRATION (open|closed),
  ASSAY_WITNESS_POLICY (file: witnesses, and how many must cosign what the log publishes), ASSAY_LOG_ML_DSA (on|off),
  ASSAY_MAX_FILE_BYTES, ASSAY_LEASE_SECONDS (60), ASSAY_DEVICE (cpu|webgpu|cuda), ASSAY_MODEL (default|none|NAME|CID), ASSAY_IMAGE_MODEL (the same),
  ASSAY_MODEL_MODE (fp32|fp16|int8), ASSAY_MODEL_DIR, ASSAY_MODEL_CACHE, ASSAY_MODEL_HUB,
  ASSAY_BENCHMARKS (file of benchmark sets; default benchmarks.json in --data),
  ASSAY_REFERENCES (file of human reference texts; default references.json in --data),
  ASSAY_SHARD_SAMPLES (embedded as one job; 512, on GPUs 8192),
  ASSAY_MIXED_DEVICES (as cpu,webgpu: workers on these serve one data set together; the same on every node),
  ASSAY_GATEWAY (address of the api: for workers on other machines, which need this and DATABASE_URL),
  ASSAY_P2P_LISTEN (local, or multiaddrs), ASSAY_P2P_PEERS (multiaddrs): exchange blocks over IPFS, with the api role`

/** Throws `invalid-request` for an option or variable that makes no sense. */
export function parseSettings(words: string[], env: NodeJS.ProcessEnv): Settings {
  const { values } = parseArgs({
    args: words,
    options: {
      roles: { type: 'string', default: ROLES.join(',') },
      data: { type: 'string', default: env['ASSAY_DATA'] ?? 'data' },
      port: { type: 'string', default: env['ASSAY_PORT'] ?? '8080' },
      migrate: { type: 'boolean', default: false },
    },
  })
  const roles = values.roles.split(',').map((text) => oneOf('--roles', text.trim(), ROLES))
  const device = parseDevice(env['ASSAY_DEVICE'] ?? 'cpu')
  return {
    roles: new Set(roles),
    dataDir: resolve(values.data),
    migrateOnly: values.migrate,
    host: env['ASSAY_HOST'] ?? '127.0.0.1',
    port: integer('--port', values.port, { maximum: 65_535 }),
    publicUrl: env['ASSAY_PUBLIC_URL']?.replace(/\/+$/, '') ?? null,
    databaseUrl: env['DATABASE_URL'] ?? null,
    logOrigin: env['ASSAY_LOG_ORIGIN'] ?? null,
    witnessPolicy: env['ASSAY_WITNESS_POLICY'],
    logMlDsa: oneOf('ASSAY_LOG_ML_DSA', env['ASSAY_LOG_ML_DSA'] ?? 'off', ['on', 'off']) === 'on',
    registration: oneOf('ASSAY_REGISTRATION', env['ASSAY_REGISTRATION'] ?? 'open', ['open', 'closed']),
    leaseMs: integer('ASSAY_LEASE_SECONDS', env['ASSAY_LEASE_SECONDS'] ?? '60', { minimum: 1, maximum: 86_400 }) * 1000,
    maxFileBytes: integer('ASSAY_MAX_FILE_BYTES', env['ASSAY_MAX_FILE_BYTES'] ?? String(DEFAULT_LIMITS.fileBytes)),
    benchmarks: resolve(env['ASSAY_BENCHMARKS'] ?? join(values.data, 'benchmarks.json')),
    references: resolve(env['ASSAY_REFERENCES'] ?? join(values.data, 'references.json')),
    gateway: parseGateway(env['ASSAY_GATEWAY'], roles),
    device,
    mixedDevices: parseMixedDevices(env['ASSAY_MIXED_DEVICES'], device, roles),
    shardSamples: integer('ASSAY_SHARD_SAMPLES', env['ASSAY_SHARD_SAMPLES'] ?? (device === 'cpu' ? '512' : '8192'), {
      minimum: 1,
      maximum: 65_536,
    }),
    model: env['ASSAY_MODEL'] === 'none' ? null : (env['ASSAY_MODEL'] ?? 'default'),
    imageModel: [env['ASSAY_MODEL'], env['ASSAY_IMAGE_MODEL']].includes('none') ? null : (env['ASSAY_IMAGE_MODEL'] ?? 'default'),
    modelMode: env['ASSAY_MODEL_MODE'] === undefined ? undefined : oneOf('ASSAY_MODEL_MODE', env['ASSAY_MODEL_MODE'], ModelMode.options),
    modelDir: env['ASSAY_MODEL_DIR'],
    modelCache: env['ASSAY_MODEL_CACHE'] ?? defaultModelCache(),
    modelHub: env['ASSAY_MODEL_HUB'],
    network: parseNetwork(env['ASSAY_P2P_LISTEN'], env['ASSAY_P2P_PEERS']),
  }
}

function parseGateway(text: string | undefined, roles: readonly Role[]): string | null {
  if (text === undefined) return null
  if (!URL.canParse(text) || !/^https?:$/.test(new URL(text).protocol))
    throw new Problem('invalid-request', `ASSAY_GATEWAY is "${text}"; expected an address as http://host:port`)
  if (roles.includes('api'))
    throw new Problem('invalid-request', 'ASSAY_GATEWAY is for workers: the api itself has the blocks; choose --roles')
  return text.replace(/\/+$/, '')
}

function parseMixedDevices(text: string | undefined, own: Device, roles: readonly Role[]): Device[] {
  if (text === undefined) return []
  const devices = [...new Set(text.split(',').map((name) => parseDevice(name.trim())))].toSorted()
  if (devices.length < 2)
    throw new Problem('invalid-request', `ASSAY_MIXED_DEVICES is "${text}"; expected two devices or more, as cpu,webgpu`)
  if (roles.includes('verifier') && !devices.includes(own))
    throw new Problem(
      'invalid-request',
      `this verifier computes on ${own} (ASSAY_DEVICE), and ASSAY_MIXED_DEVICES allows ${devices.join(' and ')}`,
    )
  return devices
}

/** Multiaddrs, separated by commas or space; `ASSAY_P2P_LISTEN=local` for any port of the loopback interface. */
function parseNetwork(listen: string | undefined, peers: string | undefined): NetworkOptions | undefined {
  if (listen === undefined && peers === undefined) return undefined
  const list = (text: string) => text.split(/[\s,]+/).filter((address) => address !== '')
  return {
    ...(listen === undefined || listen === 'local' ? {} : { listen: list(listen) }),
    ...(peers === undefined ? {} : { peers: list(peers) }),
  }
}

function oneOf<T extends string>(name: string, text: string, allowed: readonly T[]): T {
  const value = allowed.find((one) => one === text)
  if (value === undefined) throw new Problem('invalid-request', `${name} is "${text}"; expected ${allowed.join(' or ')}`)
  return value
}

function integer(name: string, text: string, { minimum = 0, maximum = Number.MAX_SAFE_INTEGER } = {}): number {
  const value = Number(text)
  if (!/^\d+$/.test(text) || value < minimum || value > maximum)
    throw new Problem('invalid-request', `${name} is "${text}"; expected a number from ${minimum} to ${maximum}`)
  return value
}
