// Where broken-off uploads are remembered: this tab's session only, because file names may name patients.
const PREFIX = "upload::";

/** tus-js-client's URL storage over sessionStorage. */
export const tabStorage = {
  async findAllUploads() {
    return read(PREFIX);
  },
  async findUploadsByFingerprint(fingerprint) {
    return read(`${PREFIX}${fingerprint}::`);
  },
  async removeUpload(key) {
    sessionStorage.removeItem(key);
  },
  async addUpload(fingerprint, upload) {
    const key = `${PREFIX}${fingerprint}::${Date.now()}`;
    sessionStorage.setItem(key, JSON.stringify(upload));
    return key;
  },
};

function keys(prefix) {
  return Object.keys(sessionStorage).filter((key) => key.startsWith(prefix));
}

function read(prefix) {
  return keys(prefix).map((key) => ({ ...JSON.parse(sessionStorage.getItem(key)), urlStorageKey: key }));
}

const OPEN = "upload-batch";

/** The batch that was open when this tab was reloaded, or null. */
export function rememberedBatch() {
  return JSON.parse(sessionStorage.getItem(OPEN));
}

export function rememberBatch(facts) {
  sessionStorage.setItem(OPEN, JSON.stringify(facts));
}

/** The batch has its receipt: nothing of it is kept. */
export function forgetBatch() {
  sessionStorage.removeItem(OPEN);
  for (const key of keys(PREFIX)) sessionStorage.removeItem(key);
}
