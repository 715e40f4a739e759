// A producer and a consumer in two processes, one after the other, over a shared
// mapping of one page: the consumer finds what the producer left, total = 55.

#include "kernel/types.h"
#include "kernel/stat.h"
#include "user/user.h"

#define MAX 10
#define VALUE(i) (i)
#include "user/prodcons.h"

static void
run_in_child(void (*work)(void))
{
  int pid = fork();

  if(pid < 0){
    printf("fork failed\n");
    exit(1);
  }
  if(pid == 0){
    work();
    exit(0);
  }
  // Nobody else runs on the buffer meanwhile: there is no race.
  wait(0);
}

int
main(void)
{
  map_buffer(MAP_SHARED);
  run_in_child(producer);
  run_in_child(consumer);
  printf("total = %d\n", buffer->total);
  exit(0);
}
