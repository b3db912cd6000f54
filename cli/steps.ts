/** How the steps of an audit or a receipt are marked for a person. */
import type { StepStatus } from '../core/audit/step.ts'

const MARKS: Readonly<Record<StepStatus, string>> = { passed: '✓', failed: '✗', unknown: '?' }

export function describeMark(status: StepStatus): string {
  return MARKS[status]
}
