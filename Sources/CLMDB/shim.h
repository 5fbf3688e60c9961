// LMDB, Debian's liblmdb-dev.
#include <lmdb.h>
