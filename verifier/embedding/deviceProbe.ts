/**
 * The process of devices.ts: computes a small product on one device and tells the parent how it went. A process of its own, because a
 * driver that does not fit may end the process that loads it.
 */
import { FLOAT, FLOAT16 } from '../onnx/model.ts'
import { encodeModel } from '../onnx/write.ts'
import { messageOf, Problem } from '../../core/problem.ts'
import { createSession, loadOnnxRuntime, parseDevice, plainReason } from './onnxRuntime.ts'

/** What the parent hears. */
export type ProbeReply = { usable: true; gigaflops: number; half: boolean } | { usable: false; reason: string }

const SIZE = 512
const RUNS = 3

process.send?.(await probe(parseDevice(process.argv[2] ?? '')))
process.disconnect?.()

async function probe(device: ReturnType<typeof parseDevice>): Promise<ProbeReply> {
  const onnx = await loadOnnxRuntime()
  const bundled = onnx.listSupportedBackends().map(({ name }) => name)
  if (!bundled.includes(device))
    return { usable: false, reason: `ONNX Runtime is built without ${device} on ${process.platform} ${process.arch}` }
  try {
    const seconds = await fastest(productGraph(false))
    const half = await fastest(productGraph(true)).then(
      () => true,
      () => false,
    )
    return { usable: true, gigaflops: (2 * SIZE ** 3) / seconds / 1e9, half }
  } catch (error) {
    return { usable: false, reason: plainReason(messageOf(error instanceof Problem ? error.cause : error)) }
  }

  async function fastest(graph: Uint8Array): Promise<number> {
    const session = await createSession(onnx, graph, { device, threads: 1 })
    const data = Float32Array.from({ length: SIZE * SIZE }, (_, i) => (i % 7) - 3)
    const a = new onnx.Tensor('float32', data, [SIZE, SIZE])
    let best = Infinity
    for (let run = 0; run < RUNS; run++) {
      const start = performance.now()
      await session.run({ a })
      best = Math.min(best, (performance.now() - start) / 1000)
    }
    await session.release()
    return best
  }
}

/** a·a, at half precision if asked for. */
function productGraph(half: boolean): Uint8Array {
  const product = half ? 'half' : 'a'
  return encodeModel({
    name: 'probe',
    nodes: [
      ...(half ? [{ operator: 'Cast', inputs: ['a'], outputs: ['half'], attributes: { to: FLOAT16 } }] : []),
      { operator: 'MatMul', inputs: [product, product], outputs: ['product'] },
      { operator: 'Cast', inputs: ['product'], outputs: ['out'], attributes: { to: FLOAT } },
    ],
    inputs: [{ name: 'a', type: FLOAT, shape: [SIZE, SIZE] }],
    outputs: [{ name: 'out', type: FLOAT, shape: [SIZE, SIZE] }],
  })
}
