/*
 * certs DIR: certificates of all sorts in DIR, for tests of TLS, each a PEM file
 * with its key.  mx.test and 127.0.0.1 are the names, ca.pem is the CA to believe.
 *
 *	good		nothing wrong with it
 *	chain		nor with this one; by middle, whose certificate is with it
 *	expired future selfsigned otherca othername
 *	oldchain expiredchain otherchain	the same trouble within a chain
 *	wildcard	*.there.test
 *	toowide partial nul cnonly ipname	names that do not count
 *	client		a client's
 *	ca middle oldca strangerca		those who issued them
 *
 * With a certificate's name behind DIR it prints the TLSA record (3 1 1) of it.
 */
#include "../certs.h"

static int
tlsa(X509 *cert)
{
	unsigned char md[EVP_MAX_MD_SIZE], *der = NULL;
	unsigned int n;
	int length = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(cert), &der);

	if (length <= 0 || EVP_Digest(der, (size_t)length, md, &n, EVP_sha256(),
	    NULL) != 1)
		return FAULT_BUG;
	printf("3 1 1 ");
	for (unsigned int i = 0; i < n; i++)
		printf("%02x", md[i]);
	printf("\n");
	OPENSSL_free(der);
	return 0;
}

/* What DIR/NAME.pem begins with. */
static int
show(const char *dir, const char *name)
{
	struct buf path = {0};
	FILE *f;
	X509 *cert = NULL;
	int r = FAULT_IO;

	buf_addf(&path, "%s/%s.pem", dir, name);
	if ((f = fopen(buf_str(&path), "r")) != NULL) {
		cert = PEM_read_X509(f, NULL, NULL, NULL);
		fclose(f);
	}
	if (cert != NULL)
		r = tlsa(cert);
	else
		fprintf(stderr, "certs: %s: no certificate\n", path.p);
	X509_free(cert);
	buf_free(&path);
	return r;
}

int
main(int argc, char *argv[])
{
	struct certs c;

	if (argc == 3)
		return show(argv[1], argv[2]);
	if (argc != 2) {
		fprintf(stderr, "usage: certs DIR [NAME]\n");
		return FAULT_USAGE;
	}
	if (mkdir(argv[1], 0700) < 0 && access(argv[1], W_OK | X_OK) < 0) {
		perror(argv[1]);
		return FAULT_IO;
	}
	certs_fill(&c);
	if (!certs_write(&c, argv[1])) {
		perror(argv[1]);
		return FAULT_IO;
	}
	certs_free(&c);
	return 0;
}
