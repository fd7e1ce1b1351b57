import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** A certificate for loopback, made for one run: clients trust it by its file. */
export type Certificate = { readonly certFile: string; readonly keyFile: string; readonly cert: string };

/** Makes one in `dir` by the `openssl` command. */
export function makeCertificate(dir: string): Certificate {
  const [certFile, keyFile] = [join(dir, 'cert.pem'), join(dir, 'key.pem')];
  const names = 'subjectAltName=DNS:localhost,IP:127.0.0.1';
  const subject = [
    '-subj',
    '/CN=localhost',
    '-addext',
    names,
    '-addext',
    'basicConstraints=critical,CA:TRUE',
  ];
  const kind = ['-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];
  execFileSync('openssl', ['req', ...kind, ...subject, '-keyout', keyFile, '-out', certFile], {
    stdio: 'ignore',
  });
  return { certFile, keyFile, cert: readFileSync(certFile, 'utf8') };
}
