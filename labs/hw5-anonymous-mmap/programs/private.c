// A producer and a consumer in one process, over a private mapping that is
// unmapped at the end: total = 55.

#include "kernel/types.h"
#include "kernel/stat.h"
#include "user/user.h"

#define MAX 10
#define VALUE(i) (i)
#include "user/prodcons.h"

int
main(void)
{
  map_buffer(MAP_PRIVATE);
  producer();
  consumer();
  printf("total = %d\n", buffer->total);
  // Task 1c: comment this out, and see what a process leaves behind.
  if(munmap(buffer, sizeof(buffer_t)) < 0){
    printf("munmap failed\n");
    exit(1);
  }
  exit(0);
}
