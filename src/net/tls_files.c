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
use_key(SSL_CTX *ctx, const char *path, FILE *f, struct err *e)
{
	bool asked = false;
	EVP_PKEY *key = PEM_read_PrivateKey(f, NULL, no_passphrase, &asked);
	bool used = key != NULL && SSL_CTX_use_PrivateKey(ctx, key) == 1 &&
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
read_key(SSL_CTX *ctx, const char *path, struct err *e)
{
	const mode_t others = S_IRWXG | S_IRWXO;
	struct stat st;
	FILE *f = open_file(path, &st, e);
	int r;

	if (f == NULL)
		return -1;
	if ((st.st_mode & others) != 0)
		r = err_set(e, FAULT_CONFIG, "%s: holds a private key, and "
		    "others than its owner may use the file (mode %04o)", path,
		    (unsigned)(st.st_mode & 07777));
	else
		r = use_key(ctx, path, f, e);
	fclose(f);
	return r;
}

int
tls_files_cert(SSL_CTX *ctx, const char *cert, const char *key, struct err *e)
{
	struct stat st;
	FILE *f = open_file(cert, &st, e);
	bool asked, used;

	if (f == NULL)
		return -1;
	fclose(f);
	SSL_CTX_set_default_passwd_cb(ctx, no_passphrase);
	SSL_CTX_set_default_passwd_cb_userdata(ctx, &asked);
	used = SSL_CTX_use_certificate_chain_file(ctx, cert) == 1;
	SSL_CTX_set_default_passwd_cb_userdata(ctx, NULL);
	SSL_CTX_set_default_passwd_cb(ctx, NULL);
	ERR_clear_error();
	if (!used)
		return err_set(e, FAULT_CONFIG,
		    "%s: no certificate (PEM) in it that can be used", cert);
	return read_key(ctx, key != NULL ? key : cert, e);
}
