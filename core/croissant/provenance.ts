/**
 * Who made what of a data set and where that is recorded (W3C PROV-O), what its contributor declares (Croissant RAI), and on which terms it may
 * be used (ODRL 2.2). Everything here stands in a signed document; nothing is concluded.
 */
import type { CID } from '../cid.ts'
import type { DocumentOf, Encoded } from '../documents/document.ts'
import type { Manifest } from '../documents/manifest.ts'
import type { Report } from '../documents/report.ts'
import type { SignedKind } from '../statement.ts'
import type { Plain } from '../hub/yaml.ts'

/** Who signed a document, and where the log has it; null until it is there. */
export interface Signature {
  author: string
  createdAt: string
  logIndex: number | null
}

/** A document with its signatures, oldest first. */
export interface Signed<K extends SignedKind> extends Encoded<DocumentOf<K>> {
  signatures: readonly Signature[]
}

export interface RegistryNames {
  /** Without a slash at the end. */
  url: string
  /** The name of its log. */
  logOrigin: string
}

/** Documents that led to what is described. */
export interface Trail {
  manifest: Signed<'manifest'>
  index: Signed<'index'> | null
  report: Signed<'report'> | null
}

export function ipfs(cid: CID): string {
  return `ipfs://${cid.toString()}`
}

/** The activity that made a document; its `@id`, where it can be referred to. */
export function activityId(document: CID): string {
  return `${ipfs(document)}#activity`
}

/** PROV-O: whom the data set is owed to, what it was made from, and by which activities. */
export function provenance({ manifest, index, report }: Trail, registry: RegistryNames): { [key: string]: Plain } {
  const { author, sources, previous } = manifest.document
  const derived = [
    ...sources.map(({ name, url, license, description }): Plain => ({
      '@type': 'prov:Entity',
      name,
      ...(url === undefined ? {} : { url }),
      ...(license === undefined ? {} : { license }),
      ...(description === undefined ? {} : { description }),
    })),
    ...(previous === undefined ? [] : [{ '@type': 'prov:Entity', '@id': ipfs(previous), name: 'the version before' }]),
  ]
  const activities = [
    activity('publication', manifest, [], registry),
    ...(index === null ? [] : [activity('indexing', index, [manifest.cid], registry)]),
    ...(report === null ? [] : [activity('verification', report, [report.document.index, report.document.recipe], registry)]),
  ]
  return {
    'prov:wasAttributedTo': agent(author),
    ...(derived.length === 0 ? {} : { 'prov:wasDerivedFrom': derived }),
    'prov:wasGeneratedBy': activities,
  }
}

/** Croissant RAI: what is declared of the data's origin, and what a verifier found or could not look at. */
export function responsibleUse({ sources, consent, synthetic }: Manifest, report: Report | null): { [key: string]: Plain } {
  const collection = [
    ...sources.map(({ name, url, license, description }) => {
      const terms = [url, license].filter((part) => part !== undefined)
      return `Source: ${name}${terms.length === 0 ? '' : ` (${terms.join(', ')})`}${description === undefined ? '' : `: ${description}`}`
    }),
    ...(consent === undefined ? [] : [`Consent of the people in it, in the contributor's words: ${consent}`]),
    ...(synthetic.generators.length === 0 ? [] : [`Generators that the contributor names: ${synthetic.generators.join(', ')}`]),
  ]
  const limitations =
    report === null
      ? []
      : [
          ...report.properties.map(
            ({ property, state, flaggedSamples, reasons }) =>
              `${property}: ${state}, ${flaggedSamples} of ${report.sampleCount} rows flagged${reasons.length === 0 ? '' : `. ${reasons.join(' ')}`}`,
          ),
          ...report.properties.flatMap(({ property, notCovered = [] }) => notCovered.map((text) => `${property}, not covered: ${text}`)),
          ...report.notCovered.map((text) => `Not covered: ${text}`),
        ]
  return {
    ...(collection.length === 0 ? {} : { 'rai:dataCollection': collection.join('\n') }),
    ...(synthetic.share === 'unknown' ? {} : { 'rai:hasSyntheticData': synthetic.share !== 'none' }),
    ...(limitations.length === 0 ? {} : { 'rai:dataLimitations': limitations }),
  }
}

/** An ODRL offer: use, on the terms of the licence that the contributor names. */
export function usagePolicy({ author, license, consent }: Manifest, subject: CID): Plain {
  const terms = licenseOf(license)
  return {
    '@type': ['CreativeWork', 'odrl:Offer'],
    name: `Use under ${license}`,
    ...(consent === undefined ? {} : { description: `Consent of the people in it, in the contributor's words: ${consent}` }),
    license: terms,
    'odrl:assigner': agent(author),
    'odrl:permission': {
      '@type': 'odrl:Permission',
      'odrl:target': { '@id': ipfs(subject) },
      'odrl:action': { '@id': 'odrl:use' },
      'odrl:duty': {
        '@type': 'odrl:Duty',
        name: `Comply with ${license}`,
        'odrl:action': { '@id': 'odrl:reviewPolicy' },
        'odrl:target': terms === license ? license : { '@id': terms },
      },
    },
  }
}

const SPDX_ID = /^[A-Za-z0-9][A-Za-z0-9.-]*$/

/** The address of a licence that SPDX lists by one name; an expression of several, and a licence of the contributor's own, as they are. */
export function licenseOf(expression: string): string {
  return SPDX_ID.test(expression) && !expression.startsWith('LicenseRef-') ? `https://spdx.org/licenses/${expression}` : expression
}

function activity(label: string, document: Signed<SignedKind>, used: readonly CID[], registry: RegistryNames): Plain {
  const { cid, signatures } = document
  return {
    '@type': 'prov:Activity',
    '@id': activityId(cid),
    'prov:label': label,
    ...(used.length === 0 ? {} : { 'prov:used': used.map((each) => ({ '@id': ipfs(each) })) }),
    'prov:wasAssociatedWith': signatures.map(({ author }) => agent(author)),
    ...(signatures[0] === undefined ? {} : { 'prov:endedAtTime': signatures[0].createdAt }),
    'prov:generated': {
      '@type': 'prov:Entity',
      '@id': ipfs(cid),
      name: document.document.kind,
      url: `${registry.url}/v1/documents/${cid.toString()}`,
      identifier: signatures.flatMap(({ logIndex }) =>
        logIndex === null ? [] : [{ '@type': 'PropertyValue', propertyID: `log entry of ${registry.logOrigin}`, value: logIndex }],
      ),
    },
  }
}

function agent(did: string): Plain {
  return { '@type': 'prov:Agent', '@id': did }
}
