/**
 * Policies, https://c2sp.org/tlog-policy: which logs are known, which witnesses, and how many of these must have cosigned a checkpoint
 * for it to count. Lines `log VKEY [URL]`, `witness NAME VKEY [URL]`, `group NAME k|any|all NAME…` and one `quorum NAME|none`.
 */
import { bytesToUtf8, equalBytes } from '../bytes.ts'
import { Problem } from '../problem.ts'
import { type Checkpoint, parseCheckpoint } from './checkpoint.ts'
import { type Cosignature, cosignaturesOf, parseCosignerKey } from './cosignature.ts'
import { openNote, parseVerificationKey } from './note.ts'
import type { NoteKey } from './noteKey.ts'

const MAX_POLICY_BYTES = 1024 * 1024

export interface KnownLog {
  key: NoteKey
  url?: string
}

export interface KnownWitness extends KnownLog {
  /** What the policy calls it; the name that stands in its signatures is the key's. */
  name: string
}

/** At least `threshold` of the members; a member is a witness or a group. */
export interface Quorum {
  name: string
  threshold: number
  members: readonly (KnownWitness | Quorum)[]
}

export interface Policy {
  logs: readonly KnownLog[]
  witnesses: readonly KnownWitness[]
  /** Null: no cosignature is asked for. */
  quorum: KnownWitness | Quorum | null
}

export interface WitnessedCheckpoint {
  checkpoint: Checkpoint
  /** The witnesses of the policy that cosigned, by the policy's names. */
  witnesses: { name: string; timeSeconds: number }[]
}

/** Parses a policy from outside. Throws `invalid-request` naming the line that is wrong. */
export function parsePolicy(bytes: Uint8Array): Policy {
  if (bytes.length > MAX_POLICY_BYTES) throw new Problem('invalid-request', `a policy has at most ${MAX_POLICY_BYTES} bytes`)
  const reading = createReading()
  // Octets, not characters: the format gives those above 0x7f no meaning.
  const octets = Array.from(bytes, (byte) => String.fromCharCode(byte)).join('')
  for (const [number, line] of octets.split('\n').entries()) {
    try {
      if (/[^\t\x20-\x7e\x80-\xff]/.test(line)) throw new Problem('invalid-request', 'a control character')
      const words = line.split(/[\t ]+/).filter((word) => word !== '')
      if (words.length > 0 && !words[0]!.startsWith('#')) reading.take(words)
    } catch (error) {
      if (!(error instanceof Problem)) throw error
      throw new Problem('invalid-request', `line ${number + 1} of the policy: ${error.detail}`, { cause: error })
    }
  }
  return reading.finish()
}

/**
 * Verifies a checkpoint from outside: signed by one of the policy's logs, under its name, and cosigned by a quorum.
 * Throws `invalid-document`, `invalid-signature` or `untrusted`, which says who is missing.
 */
export function openWitnessedCheckpoint(bytes: Uint8Array, { logs, witnesses, quorum }: Policy): WitnessedCheckpoint {
  const note = openNote(
    bytes,
    logs.map(({ key }) => key),
  )
  const checkpoint = parseCheckpoint(note.text)
  if (!note.signedBy.some(({ name }) => name === checkpoint.origin))
    throw new Problem('untrusted', `the checkpoint is of the log ${checkpoint.origin}, which did not sign it`)
  const cosignatures = cosignaturesOf(
    note,
    witnesses.map(({ key }) => key),
  )
  const cosigned = (witness: KnownWitness): Cosignature | undefined => cosignatures.find(({ key }) => key === witness.key)
  if (quorum !== null && !isWitnessed(quorum, (witness) => cosigned(witness) !== undefined))
    throw new Problem(
      'untrusted',
      `the checkpoint lacks witnesses: ${describeQuorum(quorum)}; it has ${listed(witnesses.filter(cosigned))}`,
    )
  return {
    checkpoint,
    witnesses: witnesses.flatMap((witness) => {
      const cosignature = cosigned(witness)
      return cosignature === undefined ? [] : [{ name: witness.name, timeSeconds: cosignature.timeSeconds }]
    }),
  }
}

/** Whether those who cosigned are a quorum. */
export function isWitnessed(quorum: KnownWitness | Quorum, cosigned: (witness: KnownWitness) => boolean): boolean {
  if (!('members' in quorum)) return cosigned(quorum)
  return quorum.members.filter((member) => isWitnessed(member, cosigned)).length >= quorum.threshold
}

function createReading() {
  const logs: KnownLog[] = []
  const witnesses: KnownWitness[] = []
  const named = new Map<string, KnownWitness | Quorum>()
  const members = new Set<string>()
  let quorum: Policy['quorum'] | undefined

  const lookUp = (name: string) => {
    const found = named.get(name)
    if (found === undefined) throw new Problem('invalid-request', `"${utf8Of(name)}" is not defined above`)
    return found
  }
  const define = (name: string, value: KnownWitness | Quorum) => {
    if (name === 'none' || named.has(name)) throw new Problem('invalid-request', `the name "${utf8Of(name)}" is taken`)
    named.set(name, value)
  }

  return {
    take([verb, ...words]: string[]): void {
      if (verb === 'log' && (words.length === 1 || words.length === 2)) {
        const [vkey, url] = words
        addKnown(logs, { key: parseVerificationKey(utf8Of(vkey!)), ...(url === undefined ? {} : { url: utf8Of(url) }) })
      } else if (verb === 'witness' && (words.length === 2 || words.length === 3)) {
        const [name, vkey, url] = words
        const witness = { name: utf8Of(name!), key: parseCosignerKey(utf8Of(vkey!)), ...(url === undefined ? {} : { url: utf8Of(url) }) }
        define(name!, witness)
        addKnown(witnesses, witness)
      } else if (verb === 'group' && words.length >= 3) {
        const [name, threshold, ...names] = words
        for (const member of names) {
          lookUp(member)
          if (members.has(member)) throw new Problem('invalid-request', `"${utf8Of(member)}" is a member already; a name counts once`)
          members.add(member)
        }
        define(name!, { name: utf8Of(name!), threshold: parseThreshold(threshold!, names.length), members: names.map(lookUp) })
      } else if (verb === 'quorum' && words.length === 1) {
        if (quorum !== undefined) throw new Problem('invalid-request', 'a policy has one quorum')
        quorum = words[0] === 'none' ? null : lookUp(words[0]!)
      } else {
        throw new Problem('invalid-request', 'expected log VKEY [URL], witness NAME VKEY [URL], group NAME k|any|all NAME… or quorum NAME')
      }
    },
    finish(): Policy {
      if (quorum === undefined) throw new Problem('invalid-request', 'the policy has no quorum line; "quorum none" asks for no cosignature')
      return { logs, witnesses, quorum }
    },
  }
}

function addKnown<T extends KnownLog>(known: T[], one: T): void {
  if (known.some(({ key }) => equalBytes(key.publicKey, one.key.publicKey)))
    throw new Problem('invalid-request', `the key of ${one.key.name} stands there already`)
  known.push(one)
}

function parseThreshold(text: string, count: number): number {
  if (text === 'all') return count
  if (text === 'any') return 1
  const threshold = /^[1-9]\d{0,8}$/.test(text) ? Number(text) : Infinity
  if (threshold > count) throw new Problem('invalid-request', `expected all, any or a number from 1 to ${count}, not "${utf8Of(text)}"`)
  return threshold
}

/** Octets as the characters that they most likely are. */
function utf8Of(octets: string): string {
  const bytes = Uint8Array.from(octets, (char) => char.charCodeAt(0))
  try {
    return bytesToUtf8(bytes)
  } catch {
    return octets
  }
}

function describeQuorum(quorum: KnownWitness | Quorum): string {
  if (!('members' in quorum)) return quorum.name
  return `${quorum.threshold} of (${quorum.members.map(describeQuorum).join(', ')})`
}

function listed(witnesses: readonly KnownWitness[]): string {
  return witnesses.length === 0 ? 'none' : witnesses.map(({ name }) => name).join(', ')
}
