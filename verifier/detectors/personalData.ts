/**
 * Personal data (D8): e-mail addresses, telephone numbers, bank accounts, payment cards, identity numbers and public IP addresses, in
 * every column that holds text or numbers (verifier/personalData). What has check digits is checked; what is ambiguous counts only
 * beside a word for it. Findings name kinds, columns and samples; of a value they show at most its ends.
 *
 * Exploratory: personal data speaks neither for nor against a data set, but whoever publishes it should know. Names and street addresses
 * are not looked for.
 */
import { findPersonalData, PERSONAL_KINDS } from '../personalData/findPersonalData.ts'
import { phoneCountries } from '../personalData/phones.ts'
import { tallyCorpus } from '../personalData/tallyCorpus.ts'
import { type Detector, integerParameter } from './detector.ts'

const NAMES = {
  email: 'e-mail addresses',
  phone: 'telephone numbers',
  iban: 'bank account numbers (IBAN)',
  payment_card: 'payment card numbers',
  national_id: 'identity numbers of persons',
  ip_address: 'public IP addresses',
}

export const personalData: Detector = {
  id: 'personal_data',
  version: 1,
  tier: 'T0',
  property: 'hygiene',
  flag: 'personal_data',
  needs: {},
  surveys: true,
  parameters: {
    /** Ranges and rules are those of these versions of the libraries. */
    rules: ['libphonenumber-js 1.13.16', 'stdnum 1.12.0'],
    /** Looks into the ranges of telephone numbers that one text may cost: a tenth of a millisecond each. */
    phoneLookups: 64,
  },
  run(context) {
    const phoneLookups = integerParameter(context.parameters, 'phoneLookups')
    const countries = phoneCountries(context.corpus.language)
    return tallyCorpus(context, {
      detector: 'personal_data',
      flag: 'personal_data',
      kinds: PERSONAL_KINDS,
      names: NAMES,
      find: (text, column) => findPersonalData(text, { column, countries, phoneLookups }),
      elsewhere: context.corpus.survey?.personal,
    })
  },
}
