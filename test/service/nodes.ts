/** Nodes of one test, none of which outlives it. */
import { endNode, type NodeProcess, startNode } from '../support/node.ts'

export interface Nodes extends AsyncDisposable {
  /** Starts main.ts, without a model unless `env` says otherwise. */
  start(words: readonly string[], env: NodeJS.ProcessEnv): NodeProcess
}

export function createNodes(): Nodes {
  const nodes: NodeProcess[] = []
  return {
    start(words, env) {
      const node = startNode([...words], env)
      nodes.push(node)
      return node
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(nodes.map((node) => endNode(node, 'SIGKILL')))
    },
  }
}

/** The address of a node that serves. Throws with all that it has said if it ended instead. */
export async function addressOf(node: NodeProcess): Promise<string> {
  const address = (await node.ready) ? /^assay: ready on (http:\S+)/m.exec(node.output())?.[1] : undefined
  if (address === undefined) throw new Error(`the node did not start: ${node.output()}`)
  return address
}

/** The key of the log that a registry serves. */
export async function logVkeyOf(server: string): Promise<string> {
  return ((await (await fetch(`${server}/v1/service`)).json()) as { logVkey: string }).logVkey
}
