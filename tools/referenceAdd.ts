/** `assay reference add INDEX [--cell LANG/DOMAIN] [--replace]`: from the node's next start on, data sets of that cell are compared with these texts. */
import { parseCid } from '../core/cid.ts'
import { Problem } from '../core/problem.ts'
import { parseCell } from '../verifier/references/cells.ts'
import { referenceSettings } from '../verifier/references/settings.ts'
import { readUsableReference, RECOMMENDED_TEXTS } from '../verifier/references/usable.ts'
import { openGatewayBlocks } from './gatewayBlocks.ts'
import { parseWords, type Tool } from './tool.ts'

export const referenceAdd: Tool = {
  name: 'reference add',
  async run({ settings, result, note, signal }, words) {
    const { values, positionals } = parseWords(words, {
      cell: { type: 'string' },
      replace: { type: 'boolean', default: false },
      gateway: { type: 'string' },
    })
    const gateway = values.gateway ?? settings.gateway
    if (positionals[0] === undefined || gateway === undefined)
      throw new Problem('invalid-request', 'reference add takes the CID of an index, and --gateway or ASSAY_GATEWAY')
    const index = parseCid(positionals[0])
    // What is cheap to refuse is refused before texts are read.
    if (values.cell !== undefined) parseCell(values.cell)

    await using owner = new AsyncDisposableStack()
    const reference = await readUsableReference(await openGatewayBlocks(gateway, owner), index, signal)
    const { sampleCount, usableTexts, wantingLengths, declaredCell, synthetic } = reference
    if (values.cell === undefined && declaredCell === null)
      throw new Problem(
        'invalid-request',
        'its manifest does not declare language and domain; say what it is a reference for: --cell LANG/DOMAIN',
      )
    const cell = parseCell(values.cell ?? declaredCell!)
    const chosen = await referenceSettings.read(settings.references)
    const present = chosen.find((other) => other.cell === cell)
    if (present !== undefined && !present.index.equals(index) && !values.replace)
      throw new Problem('conflict', `${cell} has reference texts already, ${present.index.toString()}; --replace takes their place`)
    await referenceSettings.add(settings.references, { cell, index, sampleCount })

    if (declaredCell !== null && declaredCell !== cell) note(`its manifest declares ${declaredCell}; you vouch for ${cell}`)
    if (synthetic === 'unknown') note('its manifest does not say that people wrote it; you vouch for that')
    if (usableTexts < RECOMMENDED_TEXTS)
      note(`${usableTexts} usable texts are few: with ${RECOMMENDED_TEXTS} or more the rate of false alarms is the one that is set`)
    if (wantingLengths.length > 0) note(`too few are of ${wantingLengths.join(' and ')} words: texts of that length will not be scored`)
    result(
      { cell, index: index.toString(), sampleCount, usableTexts, wantingLengths, settings: settings.references },
      `${cell} (texts: ${sampleCount}, usable: ${usableTexts}) is noted in ${settings.references}\nThe node compares data sets with it from its next start on.`,
    )
    return 0
  },
}
