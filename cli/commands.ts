/** The one table of commands, in the order in which help lists them. */
import type { Command } from './command.ts'
import { audit } from './commands/audit.ts'
import { benchmarkAdd } from './commands/benchmarkAdd.ts'
import { benchNumerics } from './commands/benchNumerics.ts'
import { check } from './commands/check.ts'
import { demo } from './commands/demo.ts'
import { doctor } from './commands/doctor.ts'
import { fetch } from './commands/fetch.ts'
import { keygen } from './commands/keygen.ts'
import { modelAdd } from './commands/modelAdd.ts'
import { modelList } from './commands/modelList.ts'
import { modelPull } from './commands/modelPull.ts'
import { modelVerify } from './commands/modelVerify.ts'
import { provenance } from './commands/provenance.ts'
import { publish } from './commands/publish.ts'
import { receipt } from './commands/receipt.ts'
import { report } from './commands/report.ts'
import { referenceAdd } from './commands/referenceAdd.ts'
import { referenceList } from './commands/referenceList.ts'
import { referenceRemove } from './commands/referenceRemove.ts'
import { reverify } from './commands/reverify.ts'
import { runFinish } from './commands/runFinish.ts'
import { runStart } from './commands/runStart.ts'
import { select } from './commands/select.ts'
import { serve } from './commands/serve.ts'
import { status } from './commands/status.ts'
import { stream } from './commands/stream.ts'
import { token } from './commands/token.ts'
import { verify } from './commands/verify.ts'
import { witness } from './commands/witness.ts'

export const COMMANDS: readonly Command[] = [
  keygen,
  check,
  token,
  publish,
  status,
  report,
  select,
  fetch,
  stream,
  runStart,
  runFinish,
  receipt,
  verify,
  audit,
  provenance,
  reverify,
  serve,
  witness,
  doctor,
  modelList,
  modelPull,
  modelVerify,
  modelAdd,
  benchmarkAdd,
  referenceAdd,
  referenceList,
  referenceRemove,
  benchNumerics,
  demo,
]
