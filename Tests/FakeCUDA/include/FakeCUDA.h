/* A CUDA driver without a device, for tests: it counts what is made and destroyed, checks that each
 * thread has a context, keeps device memory in the host's, and fails where it is told to. */
#ifndef NEEDLETAIL_FAKE_CUDA_H
#define NEEDLETAIL_FAKE_CUDA_H

#include <stddef.h>
#include <stdint.h>

/* Kinds of things that are made and destroyed. */
enum fake_cuda_kind {
  FAKE_CUDA_CONTEXT,
  FAKE_CUDA_MODULE,
  FAKE_CUDA_STREAM,
  FAKE_CUDA_EVENT,
  FAKE_CUDA_DEVICE_MEMORY,
  FAKE_CUDA_PINNED_MEMORY,
  FAKE_CUDA_FUNCTION,
  FAKE_CUDA_KINDS,
};

/* Forgets everything: two devices, version 13.0, nothing made, nothing to fail. */
void fake_cuda_reset(void);
/* The address of a function of the driver by its exported name; NULL when it is hidden or unknown. */
void *fake_cuda_symbol(const char *name);
/* From now on there is no such function. */
void fake_cuda_hide(const char *name);
/* The next call of a function gives this status, and does nothing. */
void fake_cuda_fail(const char *name, int status);
/* From now on a module has functions of all names, and a launch calls this one with the function's name,
 * the number of threads and the parameters; what it gives is the launch's status. */
void fake_cuda_run(int (*kernel)(const char *name, uint64_t threads, void **parameters));
/* The driver's version and the number of its devices. */
void fake_cuda_set(int version, int devices);

/* Things of a kind that were made so far, and that are there now. */
int fake_cuda_made(enum fake_cuda_kind kind);
int fake_cuda_live(enum fake_cuda_kind kind);
/* Calls without a context, things destroyed twice or in no context, addresses out of range. */
int fake_cuda_faults(void);
/* How often a function was called. */
int fake_cuda_calls(const char *name);

#endif
