/** What is fitted on and what is scored: by content within a file, with one domain, generator or attack left out, and with the whole file left out. */
import { foldOf, LEFT_OUT_FIELDS, type LeftOutField } from '../split.ts'
import type { PoolRow } from './textPool.ts'

export interface Plan {
  file: string
  /** `content split`, `domain left out: xsum_news`, `file left out`. */
  slice: string
  /** The slice under which the mean over all values of a field is given; null where there is only one. */
  family: string | null
  fit: number[]
  /** None of them fitted on, nor a copy of one. */
  scored: number[]
}

/** With fewer texts of a class nothing is fitted or measured. */
const LEAST_TEXTS = 20

/** All plans for the files of a pool. Only texts by people and by machines are fitted on and scored; `takes` tells which are long enough. */
export function plansOf(rows: readonly PoolRow[], takes: (row: number) => boolean): Plan[] {
  const usable = [...rows.keys()].filter((row) => isHuman(rows[row]!) || isMachine(rows[row]!))
  const fittable = usable.filter(takes)
  return [...new Set(rows.map(({ file }) => file))].flatMap((file) => {
    const own = usable.filter((row) => rows[row]!.file === file)
    const direct = own.filter((row) => isDirect(rows[row]!))
    const others = fittable.filter((row) => rows[row]!.file !== file && isDirect(rows[row]!))
    const plans: Plan[] = [
      { file, slice: 'content split', family: null, fit: direct.filter(firstHalf), scored: direct.filter((row) => !firstHalf(row)) },
      ...LEFT_OUT_FIELDS.flatMap((field) => leaveOut(field, file, own)),
      { file, slice: 'file left out', family: null, fit: others, scored: own.filter((row) => isDirect(rows[row]!)) },
    ]
    return plans.map(withoutCopies).filter(isMeasurable)
  })

  function firstHalf(row: number): boolean {
    return foldOf(rows[row]!.group, 2) === 0
  }

  /** One plan for each value of a field. A generator or an attack has no human texts of its own: half of all are scored with it. */
  function leaveOut(field: LeftOutField, file: string, own: readonly number[]): Plan[] {
    const candidates = field === 'attack' ? own : own.filter((row) => isDirect(rows[row]!))
    const valueOf = (row: number) => rows[row]![field]
    const values = [...new Set(candidates.map(valueOf))].filter((value) => value !== null).toSorted()
    const kept = field === 'domain' ? values : values.filter((value) => isLeftOut(field, value, candidates))
    if (kept.length < 2) return []
    return kept.map((value): Plan => {
      const family = `${field} left out (mean)`
      const slice = `${field} left out: ${value}`
      if (field === 'domain')
        return {
          file,
          slice,
          family,
          fit: candidates.filter((row) => valueOf(row) !== null && valueOf(row) !== value),
          scored: candidates.filter((row) => valueOf(row) === value),
        }
      const humans = candidates.filter((row) => isHuman(rows[row]!) && isDirect(rows[row]!))
      const machines = candidates.filter((row) => isMachine(rows[row]!))
      return {
        file,
        slice,
        family,
        fit: [
          ...humans.filter(firstHalf),
          ...machines.filter((row) => valueOf(row) !== value && (field === 'generator' || firstHalf(row))),
        ],
        scored: [...humans.filter((row) => !firstHalf(row)), ...machines.filter((row) => valueOf(row) === value)],
      }
    })
  }

  function isLeftOut(field: LeftOutField, value: string, candidates: readonly number[]): boolean {
    if (field === 'attack' && value === 'none') return false
    return candidates.some((row) => rows[row]![field] === value && isMachine(rows[row]!))
  }

  function withoutCopies(plan: Plan): Plan {
    const contents = new Set(plan.fit.map((row) => rows[row]!.content))
    return { ...plan, fit: plan.fit.filter(takes), scored: plan.scored.filter((row) => !contents.has(rows[row]!.content)) }
  }

  function isMeasurable({ fit, scored }: Plan): boolean {
    return [fit, scored].every((part) => {
      const humans = part.filter((row) => isHuman(rows[row]!)).length
      return humans >= LEAST_TEXTS && part.length - humans >= LEAST_TEXTS
    })
  }
}

export function isHuman({ label }: Pick<PoolRow, 'label'>): boolean {
  return label === 'human'
}

export function isMachine({ label }: Pick<PoolRow, 'label'>): boolean {
  return label === 'machine'
}

/** Written as asked for, and not changed to escape a detector. */
function isDirect({ attack }: Pick<PoolRow, 'attack'>): boolean {
  return attack === null || attack === 'none'
}
