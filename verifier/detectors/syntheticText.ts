/** x */
import type { Detector } from './detector.ts'

export const syntheticText: Detector = {
  id: 'synthetic_text',
  version: 1,
  tier: 'T0',
  property: 'synthetic_share',
  flag: 'synthetic',
  needs: { text: true },
  parameters: {},
  async run() {
    return { ran: false, note: 'There is no set of human reference texts for this language and kind of text.' }
  },
}
