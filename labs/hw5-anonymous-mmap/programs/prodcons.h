// What the producer and consumer programs share: the buffer, and the two
// functions that work on it. Each program says before including this how
// many values there are (MAX), and what the i-th of them is (VALUE(i)).

#define BSIZE MAX

typedef struct {
  int buf[BSIZE];              // never initialised: its pages are touched only when used
  volatile int nextin;         // where the producer stores next; volatile keeps
  volatile int nextout;        // the five in order: the first store is nextin's
  volatile int num_produced;
  volatile int num_consumed;
  volatile int total;          // of what was consumed
} buffer_t;

static buffer_t *buffer;

static void
initialize(void)
{
  buffer->nextin = 0;
  buffer->nextout = 0;
  buffer->num_produced = 0;
  buffer->num_consumed = 0;
  buffer->total = 0;
}

static void
producer(void)
{
  while(buffer->num_produced < MAX){
    buffer->num_produced++;
    buffer->buf[buffer->nextin] = VALUE(buffer->num_produced);
    buffer->nextin = (buffer->nextin + 1) % BSIZE;
  }
}

static void
consumer(void)
{
  while(buffer->num_consumed < MAX){
    buffer->total += buffer->buf[buffer->nextout];
    buffer->nextout = (buffer->nextout + 1) % BSIZE;
    buffer->num_consumed++;
  }
}

static void
map_buffer(int flags)
{
  buffer = mmap(0, sizeof(buffer_t), PROT_READ | PROT_WRITE, MAP_ANONYMOUS | flags, -1, 0);
  if(buffer == (buffer_t*)-1){
    printf("mmap failed\n");
    exit(1);
  }
  initialize();
}
