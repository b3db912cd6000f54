/** What `assay bench numerics` measured: the tolerances of the default recipe. */
import { parseCid } from '../../core/cid.ts'
import type { Tolerance } from '../../core/documents/recipe.ts'

export const MEASURED_TOLERANCES: readonly Tolerance[] = []
void parseCid
