/** E-mail addresses (RFC 5321, as they are written in practice) and public IP addresses. */
import { isIPv6 } from 'node:net'
import type { NumberTokens } from './numberTokens.ts'

const LONGEST_LOCAL_PART = 64
const LONGEST_DOMAIN = 253
const LOCAL = /[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]/
const DOMAIN = /[A-Za-z0-9.-]/
const EMAIL =
  /^[A-Za-z0-9_](?:[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{0,62}[A-Za-z0-9_+-])?@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.){1,8}[A-Za-z]{2,24}$/
/** `logo@2x.png` is a file. */
const FILE_NAME = /\.(?:png|jpe?g|gif|svg|webp|bmp|ico|css|js|ts|json|html?|php|py|txt|pdf|zip|gz)$/i

/** The range of the address around the at sign at `at`; null where there is none. */
export function emailAround(text: string, at: number): { start: number; end: number } | null {
  let start = at
  while (start > 0 && at - start < LONGEST_LOCAL_PART && LOCAL.test(text.charAt(start - 1))) start--
  let end = at + 1
  while (end < text.length && end - at <= LONGEST_DOMAIN && DOMAIN.test(text.charAt(end))) end++
  while (end > at && !/[A-Za-z0-9]/.test(text.charAt(end - 1))) end--
  // Quotes and marks before an address are no part of it.
  while (start < at && !/[A-Za-z0-9_]/.test(text.charAt(start))) start++
  const address = text.slice(start, end)
  if (!EMAIL.test(address) || FILE_NAME.test(address) || address.includes('..')) return null
  return { start, end }
}

/** Words after which four numbers are a version or a section. */
const NUMBERED = /(?:version|release|build|update|firmware|kernel|section|chapter|figure|table|rule|v|ver|§)[ .:]{0,2}$/i
const LOOKED_BACK = 12

/** Where the public IPv4 address that begins with token `token` ends; −1 where there is none. */
export function ipv4End(text: string, { starts, ends, plain }: NumberTokens, token: number): number {
  if (token + 3 >= starts.length) return -1
  const octets: number[] = []
  for (let i = token; i < token + 4; i++) {
    const length = ends[i]! - starts[i]!
    if (!plain[i] || length > 3 || (length > 1 && text.charAt(starts[i]!) === '0')) return -1
    if (i > token && (starts[i] !== ends[i - 1]! + 1 || text.charAt(ends[i - 1]!) !== '.')) return -1
    octets.push(Number(text.slice(starts[i], ends[i])))
  }
  const [start, end] = [starts[token]!, ends[token + 3]!]
  if (/[.\w]/.test(text.charAt(start - 1)) || /\w/.test(text.charAt(end)) || /^\.\d/.test(text.slice(end, end + 2))) return -1
  return isPublic(octets) && !NUMBERED.test(text.slice(Math.max(0, start - LOOKED_BACK), start)) ? end : -1
}

/** Unicast addresses that IANA has given out for use on the Internet (RFC 6890); numbers that are all small are a list's, not a host's. */
function isPublic(octets: readonly number[]): boolean {
  const [a = 256, b = 256] = octets
  if (octets.some((octet) => octet > 255) || octets.every((octet) => octet < 32)) return false
  if (a === 0 || a === 10 || a === 127 || a >= 224) return false
  return !((a === 169 && b === 254) || (a === 172 && b >= 16 && b < 32) || (a === 192 && b === 168) || (a === 100 && b >= 64 && b < 128))
}

const GLOBAL_IPV6 = /[23][0-9a-f]{3}(?::[0-9a-f]{0,4}){2,7}/iy

/** Where the global unicast IPv6 address (2000::/3) that begins at `start` ends; −1 where there is none. */
export function ipv6End(text: string, start: number): number {
  GLOBAL_IPV6.lastIndex = start
  const address = GLOBAL_IPV6.exec(text)?.[0]
  return address !== undefined && isIPv6(address) && !/[\w:]/.test(text.charAt(start + address.length)) ? start + address.length : -1
}
