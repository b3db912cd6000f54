/** The names of tiles on a static log (https://c2sp.org/tlog-tiles): `tile/<L>/<N>[.p/<W>]`, N in groups of three digits, all but the last after an x. */
import { Problem } from '../problem.ts'
import { TILE_WIDTH } from './tiles.ts'

/** A tile of hashes has its level, 0 … 63; a bundle of entries has the level `entries`. */
export type TileLevel = number | 'entries'

export interface TilePlace {
  level: TileLevel
  index: number
  /** Hashes or entries in it, 1 … 256. */
  width: number
}

const PATH = /^tile\/(entries|0|[1-9]\d?)\/((?:x\d{3}\/){0,5}\d{3})(?:\.p\/([1-9]\d{0,2}))?$/

/** The path under which a tile is served. */
export function tilePath(level: TileLevel, index: number, width: number): string {
  let path = String(index % 1000).padStart(3, '0')
  for (let rest = Math.floor(index / 1000); rest > 0; rest = Math.floor(rest / 1000))
    path = `x${String(rest % 1000).padStart(3, '0')}/${path}`
  return `tile/${level}/${path}${width === TILE_WIDTH ? '' : `.p/${width}`}`
}

/** Parses a path as a client asks for it. Throws `invalid-request` unless it is the one path that its tile has. */
export function parseTilePath(path: string): TilePlace {
  const [, level, number, width] = PATH.exec(path) ?? []
  if (level !== undefined && number !== undefined) {
    const place: TilePlace = {
      level: level === 'entries' ? level : Number(level),
      index: Number(number.replaceAll(/[x/]/g, '')),
      width: width === undefined ? TILE_WIDTH : Number(width),
    }
    const possible = (place.level === 'entries' || place.level < 64) && place.width <= TILE_WIDTH && Number.isSafeInteger(place.index)
    if (possible && tilePath(place.level, place.index, place.width) === path) return place
  }
  throw new Problem('invalid-request', 'expected tile/<level>/<index>[.p/<width>] as in https://c2sp.org/tlog-tiles')
}
