/**
 * `/docs`: the OpenAPI document as one page that a person can read. It is made on the server, loads nothing and runs no script, so that it
 * works offline and under a Content-Security-Policy that allows nothing but its own style.
 */
import { createHash } from 'node:crypto'
import type { OpenAPIHono } from '@hono/zod-openapi'
import { html, raw } from 'hono/html'
import { STYLE } from './docsStyle.ts'

type OpenApiDocument = ReturnType<OpenAPIHono['getOpenAPI31Document']>
type PathItem = NonNullable<OpenApiDocument['paths']>[string]
type Operation = NonNullable<PathItem['get']>
type Html = ReturnType<typeof html>

/** The part of JSON Schema that our documents use. */
interface JsonSchema {
  $ref?: string
  type?: string | string[]
  description?: string
  const?: unknown
  enum?: unknown[]
  items?: JsonSchema
  properties?: Record<string, JsonSchema>
  required?: string[]
  additionalProperties?: JsonSchema | boolean
  anyOf?: JsonSchema[]
  oneOf?: JsonSchema[]
  allOf?: JsonSchema[]
  format?: string
  pattern?: string
  minimum?: number
  maximum?: number
  default?: unknown
}

const METHODS = ['get', 'head', 'put', 'post', 'delete'] as const

/** The policy under which the page is served: no script, no request, this one style. */
export const DOCS_CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  `style-src 'sha256-${createHash('sha256').update(STYLE).digest('base64')}'`,
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ')

/** The whole page. Every text of the document is escaped. */
export function docsPage(document: OpenApiDocument): Html {
  const operations = operationsOf(document)
  const tags = (document.tags ?? []).filter((tag) => operations.some((operation) => operation.tag === tag.name))
  const schemas = Object.entries(document.components?.schemas ?? {})
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>${document.info.title}</title>
        ${raw(`<style>${STYLE}</style>`)}
      </head>
      <body>
        <nav aria-label="Contents">
          <a href="#top"><strong>${document.info.title}</strong></a>
          ${tags.map((tag) => html`<a href="#tag-${tag.name}">${tag.name}</a>`)}
          <a href="#schemas">schemas</a>
          <a href="/openapi.json">openapi.json</a>
        </nav>
        <main id="top">
          <h1>${document.info.title} <small>${document.info.version}</small></h1>
          ${paragraphs(document.info.description)}
          ${tags.map(
            (tag) => html`
              <section id="tag-${tag.name}">
                <h2>${tag.name}</h2>
                ${paragraphs(tag.description)} ${operations.filter((operation) => operation.tag === tag.name).map(operationBlock)}
              </section>
            `,
          )}
          <section id="schemas">
            <h2>schemas</h2>
            ${schemas.map(
              ([name, schema]) => html`
                <details>
                  <summary><code>${name}</code></summary>
                  <div id="schema-${name}">
                    ${paragraphs((schema as JsonSchema).description)}
                    <pre><code>${typeOf(schema as JsonSchema)}</code></pre>
                  </div>
                </details>
              `,
            )}
          </section>
        </main>
      </body>
    </html>`
}

interface PageOperation extends Operation {
  method: string
  path: string
  tag: string
}

function operationsOf(document: OpenApiDocument): PageOperation[] {
  return Object.entries(document.paths ?? {}).flatMap(([path, item]) =>
    METHODS.flatMap((method) => {
      const operation = item[method]
      return operation === undefined ? [] : [{ ...operation, method, path, tag: operation.tags?.[0] ?? 'other' }]
    }),
  )
}

function operationBlock(operation: PageOperation): Html {
  const parameters = (operation.parameters ?? []).flatMap((parameter) => ('name' in parameter ? [parameter] : []))
  const body = operation.requestBody !== undefined && 'content' in operation.requestBody ? operation.requestBody : undefined
  return html`
    <details>
      <summary>
        <b class="${operation.method}">${operation.method.toUpperCase()}</b> <code>${operation.path}</code>
        <span>${operation.summary}</span>
      </summary>
      ${paragraphs(operation.description)} ${operation.security === undefined ? '' : html`<p>Needs a bearer token.</p>`}
      ${
        parameters.length === 0
          ? ''
          : html`<table>
              <thead>
                <tr>
                  <th>parameter</th>
                  <th>in</th>
                  <th>type</th>
                  <th>meaning</th>
                </tr>
              </thead>
              <tbody>
                ${parameters.map(
                  (parameter) =>
                    html`<tr>
                      <td><code>${parameter.name}</code>${parameter.required === true ? ' *' : ''}</td>
                      <td>${parameter.in}</td>
                      <td><code>${typeOf((parameter.schema ?? {}) as JsonSchema)}</code></td>
                      <td>${parameter.description ?? (parameter.schema as JsonSchema | undefined)?.description ?? ''}</td>
                    </tr>`,
                )}
              </tbody>
            </table>`
      }
      ${body === undefined ? '' : html`<h4>Body</h4>`} ${body === undefined ? '' : contents(body.content)}
      <h4>Answers</h4>
      ${successes(operation).map(
        ([status, response]) =>
          html`<p><b>${status}</b> ${response.description ?? ''}</p>
            ${contents(response.content ?? {})}`,
      )}
    </details>
  `
}

/** The answers but for problems, which are alike everywhere. */
function successes(operation: Operation): [string, { description?: string; content?: Record<string, { schema?: unknown }> }][] {
  return Object.entries(operation.responses ?? {}).filter(([status]) => status !== 'default')
}

function contents(content: Record<string, { schema?: unknown }>): Html[] {
  return Object.entries(content).map(
    ([mediaType, { schema }]) =>
      html`<pre><em>${mediaType}</em>
<code>${typeOf((schema ?? {}) as JsonSchema)}</code></pre>`,
  )
}

function paragraphs(text: string | undefined): Html[] {
  return (text ?? '')
    .split('\n\n')
    .filter((paragraph) => paragraph !== '')
    .map((paragraph) => html`<p>${paragraph}</p>`)
}

/** A schema in the notation of TypeScript, names of components as links: pieces of text (escaped by `html`) and markup. */
function typeOf(schema: JsonSchema, indent = ''): (string | Html)[] {
  if (schema.$ref !== undefined) {
    const name = schema.$ref.slice(schema.$ref.lastIndexOf('/') + 1)
    return [html`<a href="#schema-${name}">${name}</a>`]
  }
  if (schema.const !== undefined) return [JSON.stringify(schema.const)]
  if (schema.enum !== undefined) return [schema.enum.map((value) => JSON.stringify(value)).join(' | ')]
  const alternatives = schema.anyOf ?? schema.oneOf ?? schema.allOf
  if (alternatives !== undefined) {
    const separator = schema.allOf === undefined ? ' | ' : ' & '
    return alternatives.flatMap((alternative, i) => [i === 0 ? '' : separator, ...typeOf(alternative, indent)])
  }
  if (schema.items !== undefined) return ['Array<', ...typeOf(schema.items, indent), '>']
  if (schema.properties !== undefined) return objectOf(schema.properties, schema.required ?? [], indent)
  if (typeof schema.additionalProperties === 'object') return ['Record<string, ', ...typeOf(schema.additionalProperties, indent), '>']
  const type = schema.type === undefined ? 'unknown' : [schema.type].flat().join(' | ')
  return [schema.format === undefined ? type : `${type} (${schema.format})`]
}

function objectOf(properties: Record<string, JsonSchema>, required: string[], indent: string): (string | Html)[] {
  const inner = `${indent}  `
  const lines = Object.entries(properties).flatMap(([name, property]) => [
    `${inner}${name}${required.includes(name) ? '' : '?'}: `,
    ...typeOf(property, inner),
    ...(property.description === undefined ? [] : [html` <i>// ${property.description}</i>`]),
    '\n',
  ])
  return ['{\n', ...lines, `${indent}}`]
}
