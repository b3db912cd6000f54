/** The verifier's own numbers that look random. */
export { createRandom, type Random } from '../../random.ts'
