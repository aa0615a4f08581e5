#include "net/tls_files.h"

#include <dirent.h>
#include <fnmatch.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/stat.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>

/* A file that cannot be used is a matter of configuration, unless it may pass. */
static int
unusable(struct err *e, const char *path)
{
	err_sys(e, "%s", path);
	if (e->fault != FAULT_TEMP)
		e->fault = FAULT_CONFIG;
	return -1;
}

static FILE *
open_file(const char *path, struct stat *st, struct err *e)
{
	FILE *f = fopen(path, "re");

	if (f != NULL && fstat(fileno(f), st) == 0)
		return f;
	unusable(e, path);
	if (f != NULL)
		fclose(f);
	return NULL;
}

/* CAs */

/* OpenSSL finds a CA by its name's hash, and silently finds nothing else. */
static int
check_hashed(const char *dir, struct err *e)
{
	DIR *d = opendir(dir);
	const struct dirent *one;
	bool hashed = false;

	if (d == NULL)
		return unusable(e, dir);
	while (!hashed && (one = readdir(d)) != NULL)
		hashed = fnmatch("????????.[0-9]*", one->d_name, 0) == 0;
	closedir(d);
	if (hashed)
		return 0;
	return err_set(e, FAULT_CONFIG, "%s: no CA in it can be found; "
	    "`openssl rehash' makes the links", dir);
}

int
tls_files_ca(SSL_CTX *ctx, const char *ca, struct err *e)
{
	struct stat st;
	FILE *f;

	if (ca == NULL) {
		SSL_CTX_set_default_verify_paths(ctx);
		ERR_clear_error();
		return 0;
	}
	if ((f = open_file(ca, &st, e)) == NULL)
		return -1;
	fclose(f);
	if (S_ISDIR(st.st_mode))
		return SSL_CTX_load_verify_dir(ctx, ca) == 1 ?
		    check_hashed(ca, e) :
		    err_set(e, FAULT_CONFIG, "%s: cannot be used", ca);
	if (SSL_CTX_load_verify_file(ctx, ca) == 1)
		return 0;
	ERR_clear_error();
	return err_set(e, FAULT_CONFIG, "%s: no CA certificate (PEM) in it", ca);
}

/* Our own */

/* Nobody is asked for a passphrase: there may be nobody. */
static int
no_passphrase(char *p, int n, int writing, void *asked)
{
	(void)p;
	(void)n;
	(void)writing;
	*(bool *)asked = true;
	return -1;
}

static int
use_key(SSL_CTX *ctx, const struct tls_own *own, struct err *e)
{
	FILE *f = own->key != NULL ? own->key : own->cert;
	const char *path = own->key != NULL ? own->key_path : own->cert_path;
	bool asked = false;
	struct stat st;
	EVP_PKEY *key;
	bool used;

	if (fstat(fileno(f), &st) < 0)
		return unusable(e, path);
	if ((st.st_mode & (S_IRWXG | S_IRWXO)) != 0)
		return err_set(e, FAULT_CONFIG, "%s: holds a private key, and "
		    "others than its owner may use the file (mode %04o)", path,
		    (unsigned)(st.st_mode & 07777));
	rewind(f);
	key = PEM_read_PrivateKey(f, NULL, no_passphrase, &asked);
	used = key != NULL && SSL_CTX_use_PrivateKey(ctx, key) == 1 &&
	    SSL_CTX_check_private_key(ctx) == 1;
	ERR_clear_error();
	EVP_PKEY_free(key);
	if (used)
		return 0;
	return err_set(e, FAULT_CONFIG, "%s: %s", path, asked ?
	    "the key has a passphrase, which nobody would type" :
	    key == NULL ? "no private key (PEM) in it" :
	    "the key is not that of the certificate");
}

static int
use_chain(SSL_CTX *ctx, const struct tls_own *own, struct err *e)
{
	bool asked;
	X509 *x = PEM_read_X509_AUX(own->cert, NULL, no_passphrase, &asked);
	bool used = x != NULL && SSL_CTX_use_certificate(ctx, x) == 1;

	X509_free(x);
	while (used && (x = PEM_read_X509(own->cert, NULL, no_passphrase,
	    &asked)) != NULL) {
		used = SSL_CTX_add0_chain_cert(ctx, x) == 1;
		if (!used)
			X509_free(x);
	}
	/* behind the last one there is none: that is no fault, but what is none is */
	used = used && ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
	ERR_clear_error();
	return used ? 0 : err_set(e, FAULT_CONFIG,
	    "%s: no certificate (PEM) in it that can be used", own->cert_path);
}

int
tls_own_use(SSL_CTX *ctx, struct tls_own *own, struct err *e)
{
	int r;

	if (own->cert == NULL)
		return err_set(e, FAULT_CONFIG, "%s: cannot be used", own->cert_path);
	r = use_chain(ctx, own, e) < 0 ? -1 : use_key(ctx, own, e);
	tls_own_close(own);
	return r;
}

int
tls_own_open(struct tls_own *own, const char *cert, const char *key, struct err *e)
{
	struct stat st;

	*own = (struct tls_own){ .cert_path = cert, .key_path = key };
	own->cert = open_file(cert, &st, e);
	if (own->cert != NULL && key != NULL)
		own->key = open_file(key, &st, e);
	if (own->cert != NULL && (key == NULL || own->key != NULL))
		return 0;
	tls_own_close(own);
	return -1;
}

void
tls_own_close(struct tls_own *own)
{
	if (own->cert != NULL)
		fclose(own->cert);
	if (own->key != NULL)
		fclose(own->key);
	own->cert = own->key = NULL;
}
