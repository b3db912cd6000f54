/** The six documents' schemas as OpenAPI components: the same Zod objects that `parseDocument` validates with, as JSON Schema. */
import { z } from 'zod'
import { DOCUMENTS } from '../core/documents/document.ts'
import { Parameter } from '../core/documents/recipe.ts'
import { Finding } from '../core/findings.ts'
import { Field, FieldType } from '../core/samples/schema.ts'

const COMPONENTS = '#/components/schemas/'
/** Where Zod puts the schemas that several of the registered ones share. */
const SHARED = '__shared'

type JsonSchema = Record<string, unknown>

/** JSON Schemas by component name, with references to one another. */
export function documentSchemas(): Record<string, JsonSchema> {
  const registry = z.registry<{ id: string }>()
  for (const schema of [...Object.values(DOCUMENTS), Finding]) registry.add(schema, { id: idOf(schema) })
  for (const [id, schema] of Object.entries({ Field, FieldType, Parameter })) registry.add(schema, { id })
  const { schemas } = z.toJSONSchema(registry, { uri: (id) => COMPONENTS + id, unrepresentable: 'any', override: applyOverride })
  const { [SHARED]: shared, ...named } = schemas as Record<string, JsonSchema>
  return withLocalReferences({ ...named, ...(shared?.['$defs'] as Record<string, JsonSchema> | undefined) })
}

function idOf(schema: z.ZodType): string {
  const id = schema.meta()?.id
  if (id === undefined) throw new Error('a document schema has no id')
  return id
}

/** A link is a custom type to Zod; its own metadata says what it is in JSON. */
function applyOverride({ jsonSchema }: { jsonSchema: object }): void {
  if (!('override' in jsonSchema)) return
  Object.assign(jsonSchema, jsonSchema.override)
  delete jsonSchema.override
}

/** Points references at the components and drops the identifiers that only a free-standing schema has. */
function withLocalReferences(schemas: Record<string, JsonSchema>): Record<string, JsonSchema> {
  const text = JSON.stringify(schemas, (key, value: unknown) => (key === '$id' || key === '$schema' ? undefined : value))
  return JSON.parse(text.replaceAll(`${COMPONENTS}${SHARED}#/$defs/`, COMPONENTS)) as Record<string, JsonSchema>
}
