/**
 * Secrets (D8): keys of services by the prefix that their issuers give them, private keys, signed tokens, passwords in addresses, and
 * random values beside a name that says "secret key", in every column that holds text (verifier/personalData). Findings show at most the
 * ends of a value. Exploratory, as personal data is: a key that stands in published data has to be revoked, whoever publishes it.
 */
import { findSecrets, SECRET_KINDS } from '../personalData/findSecrets.ts'
import { tallyCorpus } from '../personalData/tallyCorpus.ts'
import type { Detector } from './detector.ts'

const NAMES = {
  api_key: 'keys of services',
  private_key: 'private keys',
  signed_token: 'signed tokens',
  password_in_url: 'addresses with a password',
}

export const secret: Detector = {
  id: 'secret',
  version: 1,
  tier: 'T0',
  property: 'hygiene',
  flag: 'secret',
  needs: {},
  surveys: true,
  parameters: {},
  run: (context) =>
    tallyCorpus(context, {
      detector: 'secret',
      flag: 'secret',
      kinds: SECRET_KINDS,
      names: NAMES,
      find: findSecrets,
      elsewhere: context.corpus.survey?.secrets,
    }),
}
