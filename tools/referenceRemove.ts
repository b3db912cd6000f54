/** `assay reference remove LANG/DOMAIN`: from the node's next start on, nothing is compared with the texts of that cell. */
import { Problem } from '../core/problem.ts'
import { parseCell } from '../verifier/references/cells.ts'
import { referenceSettings } from '../verifier/references/settings.ts'
import { parseWords, type Tool } from './tool.ts'

export const referenceRemove: Tool = {
  name: 'reference remove',
  async run({ settings, result }, words) {
    const [name] = parseWords(words, {}).positionals
    if (name === undefined) throw new Problem('invalid-request', 'reference remove takes a cell, such as en/news')
    const cell = parseCell(name)
    if (!(await referenceSettings.remove(settings.references, cell)))
      throw new Problem('not-found', `there are no reference texts for ${cell} in ${settings.references}`)
    result(
      { cell, settings: settings.references },
      `${cell} is gone from ${settings.references}; the node does without it from its next start on`,
    )
    return 0
  },
}
