/** The human reference texts that an operator has chosen. */
import { z } from 'zod'
import { Count, Link } from '../../core/documents/common.ts'
import { settingsFile } from '../settingsFile.ts'
import { isCell } from './cells.ts'

const ChosenReference = z.strictObject({
  cell: z.string().max(128).refine(isCell, 'expected a language tag and a kind of text, lower-case: en/news'),
  index: Link,
  sampleCount: Count,
})

export const referenceSettings = settingsFile(ChosenReference, ({ cell }) => cell, 'reference texts')
