/** `/openapi.json` (OpenAPI 3.1, made of the same schemas that validate) and `/docs`, its readable form. */
import type { OpenAPIHono } from '@hono/zod-openapi'
import { documentSchemas } from './documentSchemas.ts'
import { DOCS_CONTENT_SECURITY_POLICY, docsPage } from './docs.ts'

const DESCRIPTION = `Publish a data set, read what was found in it, stream the samples that passed, record a run, and check all of it without trusting this server.

Files, documents and blocks are addressed by CID (CIDv1, sha2-256). Every manifest, index, report and run is signed (an in-toto Statement in a DSSE envelope, Ed25519) and has an entry in the log, so that its proofs can be checked offline. Errors are problem details (RFC 9457).`

const TAGS = [
  {
    name: 'tokens',
    description: 'A token is given for a signature: no password, no e-mail address. The account is the did:key that signed.',
  },
  { name: 'files', description: 'Upload the files of a data set by their CID before the version that names them.' },
  { name: 'datasets', description: 'Data sets and their versions. A version is a signed manifest that follows the one before it.' },
  { name: 'documents', description: 'The signed documents as the bytes that were signed, their envelopes and log proofs.' },
  { name: 'samples', description: 'The rows of a version: JSON pages for people, Arrow streams for training.' },
  { name: 'reports', description: 'What a verifier found.' },
  { name: 'selections', description: 'The samples of an index that pass a policy: anyone who computes one gets the same CID.' },
  { name: 'runs', description: 'What was consumed, in which order, and where it came from.' },
  { name: 'log', description: 'The transparency log as C2SP tlog-tiles.' },
  { name: 'gateway', description: 'Blocks and files for IPFS clients (trustless gateway).' },
  { name: 'service', description: 'The node itself.' },
]

/** Adds both routes, and `/` that leads people to the readable one, to an application whose other routes are complete. */
export function addOpenApi(app: OpenAPIHono, publicUrl: string): void {
  app.openAPIRegistry.registerComponent('securitySchemes', 'bearer', { type: 'http', scheme: 'bearer' })
  for (const [name, schema] of Object.entries(documentSchemas())) app.openAPIRegistry.registerComponent('schemas', name, schema)
  const config = {
    openapi: '3.1.0',
    info: { title: 'Assay', version: '1', description: DESCRIPTION },
    servers: [{ url: publicUrl }],
    tags: TAGS,
  }
  const document = app.getOpenAPI31Document(config)
  const page = docsPage(document)
  app.get('/openapi.json', (c) => c.json(document))
  app.get('/', (c) => c.redirect('/docs'))
  app.get('/docs', async (c) => {
    c.header('content-security-policy', DOCS_CONTENT_SECURITY_POLICY)
    return c.html(await page)
  })
}
