// LMDB, Debian's liblmdb-dev.
#include <lmdb.h>

// Has changed pages of a part of a file written (`isWaiting` 0), or waits for those that are being
// written (1); neither forces the disk's own cache. `sync_file_range` is declared for GNU sources alone,
// which Swift's are not.
#ifdef __linux__
#include <sys/syscall.h>
#include <unistd.h>

static inline long needletail_write_back(int file, long long offset, long long count, int isWaiting) {
  return syscall(SYS_sync_file_range, file, offset, count, isWaiting ? 1 : 2);
}
#else
static inline long needletail_write_back(int file, long long offset, long long count, int isWaiting) {
  return -1;
}
#endif
