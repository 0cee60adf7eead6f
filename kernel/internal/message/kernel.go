package message

// ProtocolVersion is the version of the messaging protocol spoken here.
const ProtocolVersion = "5.5"

// KernelInfo is the content of kernel_info_reply.
type KernelInfo struct {
	Status                string       `json:"status"`
	ProtocolVersion       string       `json:"protocol_version"`
	Implementation        string       `json:"implementation"`
	ImplementationVersion string       `json:"implementation_version"`
	LanguageInfo          LanguageInfo `json:"language_info"`
	Banner                string       `json:"banner"`
	HelpLinks             []HelpLink   `json:"help_links,omitempty"`
	Debugger              bool         `json:"debugger"`
	SupportedFeatures     []string     `json:"supported_features"`
}

// LanguageInfo describes the language of a kernel's cells.
type LanguageInfo struct {
	Name              string `json:"name"`
	Version           string `json:"version"`
	MIMEType          string `json:"mimetype"`
	FileExtension     string `json:"file_extension"` // with the dot
	PygmentsLexer     string `json:"pygments_lexer,omitempty"`
	CodemirrorMode    any    `json:"codemirror_mode,omitempty"` // a string or an object
	NbconvertExporter string `json:"nbconvert_exporter,omitempty"`
}

// HelpLink is an entry of a client's help menu.
type HelpLink struct {
	Text string `json:"text"`
	URL  string `json:"url"`
}

// Status tells what the kernel does: "starting", "busy" or "idle".
type Status struct {
	ExecutionState string `json:"execution_state"`
}

// ShutdownRequest asks the kernel to end; with Restart a new one will follow.
type ShutdownRequest struct {
	Restart bool `json:"restart"`
}

// ShutdownReply tells that the kernel ends.
type ShutdownReply struct {
	Status  string `json:"status"`
	Restart bool   `json:"restart"`
}

// InterruptReply answers an interrupt_request, whose content is empty.
type InterruptReply struct {
	Status string `json:"status"`
}

// ErrorReply answers a request of any kind that failed.
type ErrorReply struct {
	Status     string   `json:"status"`
	ErrorName  string   `json:"ename"`
	ErrorValue string   `json:"evalue"`
	Traceback  []string `json:"traceback"`
}

// NewErrorReply makes the reply to a request that failed with err.
func NewErrorReply(name string, err error) ErrorReply {
	return ErrorReply{Status: "error", ErrorName: name, ErrorValue: err.Error(), Traceback: []string{}}
}
