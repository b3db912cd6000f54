/** Values as YAML 1.2 that YAML 1.1 reads alike (Python's clients use that): JSON in ASCII, with YAML's escapes. */

export type Plain = null | boolean | number | string | readonly Plain[] | { readonly [key: string]: Plain }

/** One value in flow style, on one line. */
export function yamlFlow(value: Plain): string {
  return JSON.stringify(value).replaceAll(/[^ -~]/gu, escape)
}

/** A mapping, a key a line. */
export function yamlMapping(mapping: { readonly [key: string]: Plain | undefined }): string {
  return Object.entries(mapping)
    .filter((entry): entry is [string, Plain] => entry[1] !== undefined)
    .map(([key, value]) => `${key}: ${yamlFlow(value)}\n`)
    .join('')
}

function escape(character: string): string {
  const code = character.codePointAt(0)!
  return code > 0xffff ? `\\U${hex(code, 8)}` : `\\u${hex(code, 4)}`
}

function hex(code: number, digits: number): string {
  return code.toString(16).padStart(digits, '0')
}
