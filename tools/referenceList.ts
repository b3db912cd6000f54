/** `assay reference list`: the human texts in the file that the node reads. */
import { referenceSettings } from '../verifier/references/settings.ts'
import { parseWords, type Tool } from './tool.ts'

export const referenceList: Tool = {
  name: 'reference list',
  async run({ settings, result }, words) {
    parseWords(words, {})
    const chosen = await referenceSettings.read(settings.references)
    const lines = chosen.map(({ cell, index, sampleCount }) => `${cell}  ${sampleCount} texts  ${index.toString()}`)
    result(
      chosen.map((reference) => ({ ...reference, index: reference.index.toString() })),
      lines.length === 0 ? `there are none in ${settings.references}` : lines.join('\n'),
    )
    return 0
  },
}
