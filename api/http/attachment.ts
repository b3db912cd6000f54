/** `Content-Disposition` of bytes that a browser is to save and not to show. */

/** RFC 6266 with RFC 8187 encoding, so that no name can break out of the header. */
export function attachment(filename: string): string {
  const plain = filename.replaceAll(/[^\w .-]/g, '_').slice(0, 255)
  return `attachment; filename="${plain}"; filename*=UTF-8''${encodeURIComponent(filename.slice(0, 255).toWellFormed()).replaceAll(/['()*]/g, escapePercent)}`
}

function escapePercent(character: string): string {
  return `%${character.charCodeAt(0).toString(16).toUpperCase()}`
}
