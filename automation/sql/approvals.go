package sql

import "redoubt/automation/provision"

var insertApproval = columns{"id", "operation_id", "at", "doc"}.insert("approvals")

func scanApproval(r row) (a provision.Approval, err error) {
	err = r.Scan(docOf{&a}, &a.ID, &a.OperationID, moment{&a.At})
	return a, err
}

// AddApproval implements provision.Tx.
func (t *tx) AddApproval(a provision.Approval) error {
	return t.insert(insertApproval, a.ID, a.OperationID, micros(a.At), asJSON(a))
}

// Approvals implements provision.Tx.
func (t *tx) Approvals(operationID string) ([]provision.Approval, error) {
	return all(t, scanApproval, "SELECT doc, id, operation_id, at FROM approvals WHERE operation_id = $1 ORDER BY at, id", operationID)
}
