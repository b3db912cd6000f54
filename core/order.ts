export interface OrderKey {
  seed: string
  epoch: number
  /** Number of selected samples. */
  size: number
}
/** From a position of the epoch to the rank of a sample within the selection: a bijection on [0, size). */
export type Order = (position: number) => number

export function createOrder(key: OrderKey): Order {
  throw new Error(`being written ${key.size}`)
}
/** From the rank of a sample within the selection to its position. */
export function createInverseOrder(key: OrderKey): Order {
  throw new Error(`being written ${key.size}`)
}
