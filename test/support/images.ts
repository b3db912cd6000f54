/** Images that are made up: soft shapes and grain, different for each number, of a kind for each class. */
import sharp, { type Sharp } from 'sharp'
import type { Pixels } from '../../verifier/embedding/images.ts'

/** A sequence of numbers in [0, 1) that a seed gives. */
function randomOf(seed: number): () => number {
  let state = Math.imul(seed + 1, 0x9e3779b1) >>> 0
  return () => {
    state = (Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x9e3779b9) >>> 0
    return ((state ^ (state >>> 13)) >>> 0) / 2 ** 32
  }
}

/** A gradient with blurred discs of the class's colour on it, and grain. */
export function picture(seed: number, kind = 0, size = 32): Pixels {
  const random = randomOf(seed)
  const base = [random() * 160, random() * 160, random() * 160]
  const slope = [random() - 0.5, random() - 0.5]
  const discs = Array.from({ length: 4 }, () => ({ x: random() * size, y: random() * size, radius: (0.1 + random() * 0.3) * size }))
  const data = new Uint8Array(size * size * 3)
  for (let y = 0; y < size; y++)
    for (let x = 0; x < size; x++) {
      const light = discs.reduce((sum, disc) => sum + Math.max(0, 1 - Math.hypot(x - disc.x, y - disc.y) / disc.radius), 0)
      for (let c = 0; c < 3; c++) {
        const value = base[c]! + (60 * (slope[0]! * x + slope[1]! * y)) / size + 120 * light * (c === kind % 3 ? 1 : 0.3) + 12 * random()
        data[(y * size + x) * 3 + c] = Math.max(0, Math.min(255, value))
      }
    }
  return { width: size, height: size, data }
}

export function encoder({ width, height, data }: Pixels): Sharp {
  return sharp(data, { raw: { width, height, channels: 3 } })
}

/** With a checkerboard of `size` × `size` pixels put in at a place. */
export function withPatch(pixels: Pixels, { x, y, size = 3 }: { x: number; y: number; size?: number }): Pixels {
  const data = new Uint8Array(pixels.data)
  for (let dy = 0; dy < size; dy++)
    for (let dx = 0; dx < size; dx++) {
      const at = ((y + dy) * pixels.width + x + dx) * 3
      data.fill((dx + dy) % 2 === 0 ? 255 : 0, at, at + 3)
    }
  return { ...pixels, data }
}
