/** What is searched for and how: part of the recipe, because it decides what is found. */
import type { Parameter } from '../../core/documents/recipe.ts'
import { integerParameter } from '../detectors/detector.ts'

export interface NeighbourSearch {
  /** Neighbours of each sample. */
  k: number
  /** Up to so many samples the search is exact. */
  exactSamples: number
  /** Above: samples of one graph, candidates of each graph for a sample, links of a sample, breadth of the search for them. */
  partSamples: number
  candidates: number
  connectivity: number
  expansion: number
}

/** The parameters of detectors that look at neighbours; those with equal ones share a search. */
export const NEIGHBOUR_PARAMETERS = {
  neighbours: 100,
  exactSamples: 500_000,
  partSamples: 1_048_576,
  candidates: 160,
  connectivity: 16,
  expansion: 64,
} as const

/** The search that a recipe asks for. Throws a TypeError where a parameter is missing. */
export function neighbourSearch(parameters: Readonly<Record<string, Parameter>>): NeighbourSearch {
  return {
    k: integerParameter(parameters, 'neighbours'),
    exactSamples: integerParameter(parameters, 'exactSamples'),
    partSamples: integerParameter(parameters, 'partSamples'),
    candidates: integerParameter(parameters, 'candidates'),
    connectivity: integerParameter(parameters, 'connectivity'),
    expansion: integerParameter(parameters, 'expansion'),
  }
}
