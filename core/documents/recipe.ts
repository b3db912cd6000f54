/** The recipe: everything that decides a report besides the data. Same index and same recipe, same report. */
import { z } from 'zod'
import { Count, Hex32, Link } from './common.ts'

/** A JSON value of integers, strings, booleans, arrays and objects: no floats, which have no canonical text. */
export type Parameter = string | number | boolean | Parameter[] | { [key: string]: Parameter }
export const Parameter: z.ZodType<Parameter> = z.lazy(() =>
  z.union([z.string().max(4096), z.number().int(), z.boolean(), z.array(Parameter).max(4096), z.record(z.string().max(128), Parameter)]),
)

export const Tier = z.enum(['T0', 'T1'])
export type Tier = z.infer<typeof Tier>

/**
 * `fp32`: normative. `fp16`: matrices are stored and multiplied at half precision; within a tolerance of fp32. `int8`: the vector of a
 * text depends on the texts beside it, so that nobody can reproduce it; a recipe that uses it says so by this name.
 */
export const ModelMode = z.enum(['fp32', 'fp16', 'int8'])
export type ModelMode = z.infer<typeof ModelMode>

/** Where a model is computed. Only `cpu` is normative; the others agree with it within tolerances. */
export const Device = z.enum(['cpu', 'webgpu', 'cuda'])
export type Device = z.infer<typeof Device>

export const ModelRole = z.enum(['text-embedding', 'image-embedding'])

/** An embedding model (core/models.ts) as a recipe names it. */
export const ModelReference = z
  .strictObject({
    name: z.string().min(1).max(128),
    role: ModelRole,
    /** The model's own document: files, tokenizer, pooling, licence. */
    model: Link,
    mode: ModelMode,
    /** The graph that is run, derived from the model's file by the transform that the model names. */
    graphSha256: Hex32,
    dimensions: z.number().int().positive(),
    /** Inner layers of which mean and standard deviation over tokens are given out, each 2 · width numbers. */
    layers: z.array(z.strictObject({ name: z.string().min(1).max(32), width: z.number().int().positive() })).max(16),
  })
  .meta({ id: 'ModelReference' })
export type ModelReference = z.infer<typeof ModelReference>

/**
 * How far a model's embeddings by a device and mode may lie from those by the CPU in fp32, where both are honest: four times the
 * 99.99 % quantile of what was measured (`assay bench numerics`), embeddings at half precision as detectors read them.
 */
export const Tolerance = z
  .strictObject({
    model: Link,
    device: Device,
    mode: ModelMode,
    /** 1 − cosine of the two embeddings of one row. */
    cosineDistanceBillionths: Count,
    /** Between two rows: their cosine similarity by the one and by the other. */
    similarityBillionths: Count,
    /** Components of a row's fingerprint that the row computed by the other has at least (core/fingerprint.ts). */
    fingerprintComponents: z.number().int().min(0).max(8),
  })
  .meta({ id: 'Tolerance' })
export type Tolerance = z.infer<typeof Tolerance>

export const DetectorReference = z
  .strictObject({
    id: z.string().regex(/^[a-z][a-z0-9_]{0,63}$/),
    version: z.number().int().positive(),
    tier: Tier,
    parameters: z.record(z.string().max(128), Parameter),
  })
  .meta({ id: 'DetectorReference' })
export type DetectorReference = z.infer<typeof DetectorReference>

export const Recipe = z
  .strictObject({
    kind: z.literal('recipe'),
    version: z.literal(1),
    models: z.array(ModelReference).max(16),
    detectors: z.array(DetectorReference).min(1).max(64),
    /** Tables and weights that were fitted beforehand and ship with the verifier. */
    weights: z.array(z.strictObject({ name: z.string().max(128), sha256: Hex32 })).max(64),
    /** Data sets that others are compared with, one for each cell: human texts (`language/domain`) and benchmark sets (`benchmark/NAME`). */
    references: z
      .array(z.strictObject({ cell: z.string().max(128), sha256: Hex32.optional(), index: Link.optional(), sampleCount: Count }))
      .max(4096),
    /** How far devices and modes lie apart that are known to agree. */
    tolerances: z.array(Tolerance).max(64).optional(),
    /** Devices whose embeddings may stand beside each other in one data set; without it all those of a data set are by one device. */
    devices: z
      .array(Device)
      .min(2)
      .refine((devices) => new Set(devices).size === devices.length, 'a device is listed twice')
      .optional(),
    verdict: z.strictObject({
      /** Family-wise error of one property, in millionths. */
      alphaMillionths: z.number().int().min(1).max(1_000_000),
      /** Least share of rows that a property must have looked at to be CLEAR, in millionths. */
      coverageMillionths: z.number().int().min(0).max(1_000_000),
      /** Greatest minimum detectable poison rate that still counts as power, in millionths. */
      powerMillionths: z.number().int().min(0).max(1_000_000),
      /** The same of the synthetic share, which a few hundred references cannot tell from chance at a rate as low. */
      syntheticPowerMillionths: z.number().int().min(0).max(1_000_000),
    }),
  })
  .meta({ id: 'Recipe' })
export type Recipe = z.infer<typeof Recipe>
