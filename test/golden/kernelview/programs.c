// The programs of the recordings, one after the other; record.mjs wants each in a file of its own in user/. Ours, and not the lab's own,
// so that recordings stay as they are when the lab's programs change.
// ---- user/common.h
#include "kernel/types.h"
#include "kernel/stat.h"
#include "user/user.h"
typedef struct { int buf[BSIZE]; int nextin, nextout, num_produced, num_consumed, total; } buffer_t;
static buffer_t *buffer;
static __attribute__((unused)) void producer(void){ while(buffer->num_produced < BSIZE){ buffer->num_produced++; buffer->buf[buffer->nextin]=VALUE; buffer->nextin=(buffer->nextin+1)%BSIZE; } }
static __attribute__((unused)) void consumer(void){ while(buffer->num_consumed < BSIZE){ buffer->total += buffer->buf[buffer->nextout]; buffer->nextout=(buffer->nextout+1)%BSIZE; buffer->num_consumed++; } }
static __attribute__((unused)) void setup(int x){ buffer = mmap(0, sizeof(buffer_t), 6, 0x20|x, -1, 0); buffer->nextin=0; buffer->nextout=0; buffer->num_produced=0; buffer->num_consumed=0; buffer->total=0; }
static __attribute__((unused)) void two(void){ if(fork()==0){producer();exit(0);} wait(0); if(fork()==0){consumer();exit(0);} wait(0); printf("total = %d\n", buffer->total); }
// ---- user/private.c
#define BSIZE 10
#define VALUE buffer->num_produced
#include "user/common.h"
int main(void){ setup(2); producer(); consumer(); printf("total = %d\n", buffer->total); munmap(buffer, sizeof(buffer_t)); exit(0); }
// ---- user/privleak.c
#define BSIZE 10
#define VALUE buffer->num_produced
#include "user/common.h"
int main(void){ setup(2); producer(); consumer(); printf("total = %d\n", buffer->total); exit(0); }
// ---- user/prodcons1.c
#define BSIZE 10
#define VALUE buffer->num_produced
#include "user/common.h"
int main(void){ setup(1); two(); exit(0); }
// ---- user/prodcons2.c
#define BSIZE 10
#define VALUE buffer->num_produced
#include "user/common.h"
int main(void){ setup(2); two(); exit(0); }
// ---- user/prodcons3.c
#define BSIZE 2048
#define VALUE 1
#include "user/common.h"
int main(void){ setup(1); two(); exit(0); }
// ---- user/hold.c
#include "kernel/types.h"
#include "kernel/stat.h"
#include "user/user.h"
int main(void){
  char *s = mmap(0, 3*4096, 6, 0x21, -1, 0);
  char *p = mmap(0, 2*4096, 2, 0x22, -1, 0);
  char *q = mmap(0, 4096, 6, 0x22, -1, 0);
  s[0] = 1; s[8192] = 2; q[0] = 3; if(p[0]) q[1] = 1;
  sbrk(8192);
  fork();
  for(;;) q[2]++;
}
