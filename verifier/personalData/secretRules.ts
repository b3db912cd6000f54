/**
 * How secrets look: keys that their issuers give a prefix, so that they can be found (prefix, characters, length, least entropy).
 * Sources: the issuers' documentation and the rule set of gitleaks (config/gitleaks.toml, MIT), whose ids are kept where it has the rule.
 */

export interface SecretRule {
  /** The rule's id in gitleaks, where it has one. */
  id: string
  prefix: string
  /** What follows the prefix, from there to the end of the key: anchored at both ends, bounded. */
  body: RegExp
  /** Least Shannon entropy of the body in thousandths of a bit a character: below, it is a placeholder. */
  entropyMilli: number
}

function rule(id: string, prefix: string, body: RegExp, entropyMilli = 3000): SecretRule {
  return { id, prefix, body: new RegExp(`^(?:${body.source})$`, body.flags), entropyMilli }
}

/** Keys that are one run of letters, digits, `_` and `-`. */
export const TOKEN_RULES: readonly SecretRule[] = [
  ...['AKIA', 'ASIA', 'ABIA', 'ACCA'].map((prefix) => rule('aws-access-token', prefix, /[A-Z2-7]{16}/, 2500)),
  ...['ghp_', 'gho_', 'ghu_', 'ghs_', 'ghr_'].map((prefix) => rule('github-token', prefix, /[0-9a-zA-Z]{36}/)),
  rule('github-fine-grained-pat', 'github_pat_', /\w{82}/),
  rule('gitlab-pat', 'glpat-', /[\w-]{20,64}/),
  ...['xoxb-', 'xoxp-', 'xoxa-', 'xoxr-', 'xoxs-', 'xoxe-', 'xapp-'].map((prefix) =>
    rule('slack-token', prefix, /[0-9a-zA-Z-]{20,250}/, 2500),
  ),
  rule('gcp-api-key', 'AIza', /[\w-]{35}/),
  rule('google-oauth-client-secret', 'GOCSPX-', /[\w-]{28}/),
  ...['sk_live_', 'sk_test_', 'rk_live_', 'rk_test_', 'sk_prod_', 'rk_prod_'].map((prefix) =>
    rule('stripe-access-token', prefix, /[a-zA-Z0-9]{10,99}/),
  ),
  rule('stripe-webhook-secret', 'whsec_', /[a-zA-Z0-9]{32,64}/),
  rule('openai-api-key', 'sk-', /(?:[a-zA-Z0-9]{20}T3BlbkFJ[a-zA-Z0-9]{20}|(?:proj|svcacct|admin)-[\w-]{40,200}|[a-zA-Z0-9]{48})/),
  rule('anthropic-api-key', 'sk-ant-', /[a-z]{2,8}\d{2}-[\w-]{80,120}/),
  rule('openrouter-api-key', 'sk-or-', /v1-[0-9a-f]{64}/),
  rule('huggingface-access-token', 'hf_', /[a-zA-Z0-9]{34,40}/),
  rule('groq-api-key', 'gsk_', /[a-zA-Z0-9]{52}/),
  rule('xai-api-key', 'xai-', /[a-zA-Z0-9]{60,90}/),
  rule('perplexity-api-key', 'pplx-', /[a-zA-Z0-9]{40,64}/),
  rule('replicate-api-token', 'r8_', /[a-zA-Z0-9]{37}/),
  rule('npm-access-token', 'npm_', /[a-zA-Z0-9]{36}/),
  rule('pypi-upload-token', 'pypi-', /AgEIcHlwaS5vcmc[\w-]{50,1000}/),
  rule('rubygems-api-token', 'rubygems_', /[a-f0-9]{48}/),
  rule('dockerhub-pat', 'dckr_pat_', /[\w-]{27}/),
  rule('digitalocean-token', 'dop_v1_', /[a-f0-9]{64}/),
  rule('digitalocean-token', 'doo_v1_', /[a-f0-9]{64}/),
  ...['shpat_', 'shpca_', 'shppa_', 'shpss_'].map((prefix) => rule('shopify-token', prefix, /[a-fA-F0-9]{32}/)),
  rule('sendinblue-api-token', 'xkeysib-', /[a-f0-9]{64}-[a-zA-Z0-9]{16}/),
  rule('mailgun-private-api-token', 'key-', /[a-f0-9]{32}/),
  rule('mailchimp-transactional-key', 'md-', /[\w-]{22}/, 4000),
  rule('twilio-api-key', 'SK', /[0-9a-f]{32}/),
  rule('databricks-api-token', 'dapi', /[a-f0-9]{32}(?:-\d)?/),
  rule('linear-api-key', 'lin_api_', /[a-zA-Z0-9]{40}/),
  rule('notion-api-token', 'ntn_', /[A-Za-z0-9]{43,50}/),
  rule('postman-api-token', 'PMAK-', /[a-fA-F0-9]{24}-[a-fA-F0-9]{34}/),
  rule('planetscale-token', 'pscale_tkn_', /[\w-]{32,64}/),
  rule('grafana-service-account-token', 'glsa_', /[A-Za-z0-9]{32}_[A-Fa-f0-9]{8}/),
  rule('new-relic-user-api-key', 'NRAK-', /[A-Z0-9]{27}/),
  rule('sentry-user-token', 'sntryu_', /[a-f0-9]{64}/),
  rule('square-access-token', 'sq0atp-', /[\w-]{22}/),
  rule('square-secret', 'sq0csp-', /[\w-]{43}/),
  rule('alibaba-access-key-id', 'LTAI', /[a-zA-Z0-9]{20}/),
  rule('tencent-cloud-secret-id', 'AKID', /[a-zA-Z0-9]{32}/),
  rule('age-secret-key', 'AGE-SECRET-KEY-', /1[QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L]{58}/),
  rule('hashicorp-vault-token', 'hvs-', /[\w-]{90,120}/),
  rule('doppler-api-token', 'dp-pt-', /[a-zA-Z0-9]{43}/),
]

/** The shortest run that may be a key. */
export const SHORTEST_TOKEN = 16

/** By the first two characters. */
export const RULES_BY_START: ReadonlyMap<string, readonly SecretRule[]> = Map.groupBy(TOKEN_RULES, ({ prefix }) => prefix.slice(0, 2))
