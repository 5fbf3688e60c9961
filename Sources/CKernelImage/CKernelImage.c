/* Embeds the images that lie in the folder Image when this file is compiled. `make kernels` touches
 * this file: without that a first image would go unnoticed, since nothing depends on it yet. */
#include "CKernelImage.h"

/* `#embed` is of C23; clang has it in every version of the language. */
#pragma clang diagnostic ignored "-Wc23-extensions"

#if __has_embed("Image/kernels.ptx")
static const unsigned char ptx[] = {
#embed "Image/kernels.ptx"
};
#define PTX {ptx, sizeof ptx}
#else
#define PTX {NULL, 0}
#endif

#if __has_embed("Image/kernels.sm_90.cubin")
static const unsigned char sm_90[] = {
#embed "Image/kernels.sm_90.cubin"
};
#define SM_90 {sm_90, sizeof sm_90}
#else
#define SM_90 {NULL, 0}
#endif

struct kernel_image_bytes kernel_image_ptx(void) { return (struct kernel_image_bytes)PTX; }
struct kernel_image_bytes kernel_image_sm_90(void) { return (struct kernel_image_bytes)SM_90; }
