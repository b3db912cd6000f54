/** One row of an evaluation file: JSONL with the fields of the data's MANIFEST.md. Whatever is missing or of another kind is null. */

export interface EvalRow {
  id: string
  text: string | null
  /** The class; `human`, `machine` or `mixed` where the question is who wrote the text. */
  label: string | null
  /** The right class, where `label` may be wrong. */
  cleanLabel: string | null
  /** What most of several people said, where `label` is one person's. */
  aggregateLabel: string | null
  source: string | null
  domain: string | null
  generator: string | null
  attack: string | null
  /** Rows of one pair or document belong together in splits. */
  pair: string | null
  doc: string | null
  language: string | null
  poisoned: boolean | null
  /** Id of the benchmark row that this row repeats. */
  match: string | null
  /** What answers `text`, in instruction data. */
  response: string | null
  image: EvalImage | null
}

/** An image as published. */
export interface EvalImage {
  bytes: Uint8Array
  /** `jpeg`, `png`, or `raw_u8_gray` and `raw_u8_rgb`: bytes row by row. */
  format: string
  /** Pixels; null where only the bytes say. */
  width: number | null
  height: number | null
}

/** A row from one line. Throws a SyntaxError for what is no JSON object. */
export function parseEvalRow(line: string, number: number): EvalRow {
  const json: unknown = JSON.parse(line)
  if (typeof json !== 'object' || json === null || Array.isArray(json)) throw new SyntaxError('a row is a JSON object')
  const fields = json as Record<string, unknown> // of whatever kind: each is looked at below
  const text = (...names: string[]): string | null => {
    for (const name of names) {
      const value = fields[name]
      if (typeof value === 'string') return value
      if (typeof value === 'number' || typeof value === 'boolean') return String(value)
    }
    return null
  }
  return {
    id: text('id') ?? `row-${number}`,
    text: text('text', 'instruction', 'prompt'),
    label: text('label'),
    cleanLabel: text('clean_label', 'true_label', 'original_label'),
    aggregateLabel: text('aggre_label', 'aggregate_label'),
    source: text('source'),
    domain: text('domain'),
    generator: text('generator'),
    attack: text('attack'),
    pair: text('pair'),
    doc: text('doc'),
    language: text('lang', 'language'),
    poisoned: truthOf(fields['poisoned']),
    match: text('match'),
    response: text('output', 'response'),
    image: imageOf(fields['image_b64'], text('format'), fields['width'], fields['height']),
  }
}

function truthOf(value: unknown): boolean | null {
  if (value === true || value === 1 || value === 'true' || value === '1') return true
  return value === false || value === 0 || value === 'false' || value === '0' ? false : null
}

function imageOf(base64: unknown, format: string | null, width: unknown, height: unknown): EvalImage | null {
  if (typeof base64 !== 'string') return null
  const pixels = (size: unknown) => (typeof size === 'number' && Number.isInteger(size) && size > 0 ? size : null)
  return { bytes: Buffer.from(base64, 'base64'), format: format ?? 'unknown', width: pixels(width), height: pixels(height) }
}
