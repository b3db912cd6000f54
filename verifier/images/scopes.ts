/** What of the images a scan looks at. */
import { extentOf, type ImageTable, isWhole } from './imageTable.ts'
import type { Scope } from './planes.ts'
import { CORNER, CORNER_COUNT, cornerView, SIDE, WHOLE } from './thumbnail.ts'

export const CORNER_NAMES = ['upper left corner', 'upper right corner', 'lower left corner', 'lower right corner'] as const

export function wholeScope(): Scope {
  return { ...WHOLE, width: SIDE, height: SIDE, extent: extentOf }
}

export function cornerScope(corner: number): Scope {
  const extent = ({ width, height }: { width: number; height: number }) => ({
    width: Math.min(CORNER, width),
    height: Math.min(CORNER, height),
  })
  return { ...cornerView(corner), width: CORNER, height: CORNER, extent }
}

/** The whole of the images; and their corners, unless they are in it pixel for pixel at the same places. */
export function scopesOf(images: ImageTable, samples: Int32Array): { name: string; scope: Scope }[] {
  const scopes = [{ name: 'whole', scope: wholeScope() }]
  const first = samples.length === 0 ? null : images.size(samples[0]!)
  const alike = samples.every((sample) => {
    const { width, height } = images.size(sample)
    return isWhole({ width, height }) && width === first?.width && height === first.height
  })
  if (!alike) for (let corner = 0; corner < CORNER_COUNT; corner++) scopes.push({ name: CORNER_NAMES[corner]!, scope: cornerScope(corner) })
  return scopes
}
