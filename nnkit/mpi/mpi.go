package mpi

/*
#cgo pkg-config: ompi-c
#include <mpi.h>
#include <unistd.h>

// Cgo cannot use these macros.
static MPI_Comm world(void) { return MPI_COMM_WORLD; }

static int begin(int *provided) {
	int status = MPI_Init_thread(NULL, NULL, MPI_THREAD_SERIALIZED, provided);
	if (status == MPI_SUCCESS) status = MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);
	return status;
}

static int neighbours(int *n) {
	MPI_Comm here;
	int status = MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &here);
	if (status == MPI_SUCCESS) status = MPI_Comm_size(here, n);
	if (status == MPI_SUCCESS) status = MPI_Comm_free(&here);
	return status;
}

// A message of MPI is counted by an int: longer ones go in several.
enum { most = 1 << 30, parts = 64 };

static int exchange(int to, char *message, long size, int from, char *received, long receivedSize) {
	MPI_Request requests[2*parts];
	int n = 0, status = MPI_SUCCESS;
	do {
		int part = receivedSize < most ? receivedSize : most;
		status = MPI_Irecv(received, part, MPI_BYTE, from, 0, MPI_COMM_WORLD, &requests[n++]);
		received += part, receivedSize -= part;
	} while (status == MPI_SUCCESS && receivedSize > 0);
	do {
		if (status != MPI_SUCCESS) return status;
		int part = size < most ? size : most;
		status = MPI_Isend(message, part, MPI_BYTE, to, 0, MPI_COMM_WORLD, &requests[n++]);
		message += part, size -= part;
	} while (size > 0);
	if (status != MPI_SUCCESS) return status;
	return MPI_Waitall(n, requests, MPI_STATUSES_IGNORE);
}

static int gather(void *message, int size, void *all) {
	return MPI_Allgather(message, size, MPI_BYTE, all, size, MPI_BYTE, MPI_COMM_WORLD);
}
*/
import "C"

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"sync"
	"unsafe"

	"github.com/seed5607215b/nnkit/nnkit"
)

// World has Fit train together with all ranks of the program. It is [nnkit.Distribute], and begins MPI if that has not begun.
// Under mpirun it also sees to it that the ranks of a machine share its cores: unless mpirun has given each cores of its own, or
// GOMAXPROCS is set, each uses as many as there are for it.
func World() nnkit.FitOption { return nnkit.Distribute(begun()) }

// Join makes every later Fit of the program, unless it is given other ranks, one of all ranks together: [nnkit.SetRanks].
func Join() { nnkit.SetRanks(begun()) }

// Rank returns the number of this process, from 0 on. It begins MPI if that has not begun.
func Rank() int { return begun().rank }

// Ranks returns the ranks, for exchanges of one's own.
func Ranks() nnkit.Ranks { return begun() }

// Size returns how many ranks there are. It begins MPI if that has not begun.
func Size() int { return begun().size }

// Finalize ends MPI, which every rank of a program that has begun it must do in the end; otherwise mpirun takes the rank for one
// that has died. It is nothing where MPI has not begun. A program that fails leaves it out, and ends with a status other than 0:
// mpirun ends the others then.
func Finalize() {
	if world.size > 0 && !world.over {
		world.over = true
		C.MPI_Finalize()
	}
}

// ranks are those of the program.
type ranks struct {
	once       sync.Once
	rank, size int
	over       bool
}

var world ranks

// begun begins MPI, once. Where that fails there is nothing that the program could do.
func begun() *ranks {
	world.once.Do(func() {
		if err := world.begin(); err != nil {
			fmt.Fprintln(os.Stderr, "mpi:", err)
			os.Exit(1)
		}
	})
	return &world
}

func (w *ranks) begin() error {
	var provided, rank, size, neighbours C.int
	if err := problem("MPI_Init_thread", C.begin(&provided)); err != nil {
		return err
	}
	if provided < C.MPI_THREAD_SERIALIZED {
		return errors.New("this MPI lets one thread alone call it, and Go's goroutines change threads: install one with thread support, as Debian's openmpi-bin is")
	}
	if err := errors.Join(
		problem("MPI_Comm_rank", C.MPI_Comm_rank(C.world(), &rank)),
		problem("MPI_Comm_size", C.MPI_Comm_size(C.world(), &size)),
		problem("MPI_Comm_split_type", C.neighbours(&neighbours)),
	); err != nil {
		return err
	}
	w.rank, w.size = int(rank), int(size)
	own := int(C.sysconf(C._SC_NPROCESSORS_ONLN)) > runtime.NumCPU()
	if os.Getenv("GOMAXPROCS") == "" && !own {
		runtime.GOMAXPROCS(max(1, runtime.NumCPU()/int(neighbours)))
	}
	return nil
}

func problem(call string, status C.int) error {
	if status == C.MPI_SUCCESS {
		return nil
	}
	var text [C.MPI_MAX_ERROR_STRING]C.char
	var n C.int
	C.MPI_Error_string(status, &text[0], &n)
	return fmt.Errorf("%s: %s", call, C.GoStringN(&text[0], n))
}

// Rank implements nnkit.Ranks.
func (w *ranks) Rank() int { return w.rank }

// Size implements nnkit.Ranks.
func (w *ranks) Size() int { return w.size }

// mostBytes is how long a message of MPI may be here; its sizes are C's ints.
const mostBytes = 1 << 30

// Exchange implements nnkit.Ranks.
func (w *ranks) Exchange(to int, message []byte, from int, received []byte) error {
	if n := max(len(message), len(received)); n > C.parts*mostBytes {
		return fmt.Errorf("a message of %d bytes is too long", n)
	}
	status := C.exchange(C.int(to), (*C.char)(unsafe.Pointer(unsafe.SliceData(message))), C.long(len(message)),
		C.int(from), (*C.char)(unsafe.Pointer(unsafe.SliceData(received))), C.long(len(received)))
	return problem("MPI_Isend, MPI_Irecv", status)
}

// Gather implements nnkit.Ranks.
func (w *ranks) Gather(message, all []byte) error {
	if len(message) > mostBytes {
		return fmt.Errorf("a record of %d bytes is too long to be gathered", len(message))
	}
	return problem("MPI_Allgather", C.gather(unsafe.Pointer(unsafe.SliceData(message)), C.int(len(message)), unsafe.Pointer(unsafe.SliceData(all))))
}
