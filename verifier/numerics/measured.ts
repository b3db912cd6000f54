/**
 * The tolerances of the models that Assay brings, as `assay bench numerics` measured them: four times the 99.99 % quantile of 2,000 real
 * texts (e-mails, news, questions, essays) on x86-64 with AVX-512, by the CPU in fp32 at other optimisation levels and in fp16, and of
 * 96 short ones by WebGPU over SwiftShader. For WebGPU, of which so few were measured, the wider of both fp32 rows is taken.
 */
import type { Tolerance } from '../../core/documents/recipe.ts'
import { encodeModel } from '../../core/models.ts'
import { ALL_MINILM_L6_V2 } from '../embedding/models.ts'

const model = encodeModel(ALL_MINILM_L6_V2.model).cid

export const MEASURED_TOLERANCES: readonly Tolerance[] = [
  { model, device: 'cpu', mode: 'fp32', cosineDistanceBillionths: 30, similarityBillionths: 42_000, fingerprintComponents: 7 },
  { model, device: 'webgpu', mode: 'fp32', cosineDistanceBillionths: 30, similarityBillionths: 42_000, fingerprintComponents: 7 },
  { model, device: 'cpu', mode: 'fp16', cosineDistanceBillionths: 2200, similarityBillionths: 930_000, fingerprintComponents: 6 },
]
